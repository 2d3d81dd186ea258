import { expect, it } from "vitest";
import { refusedWords } from "../../commands/lint-words.ts";

it.each([
  ["the guest is made anew", "anew"],
  ["no almighty credential", "almighty"],
  ["Mend this and run again", "Mend"],
  ["what it mended", "mended"],
  ["the next up goes on from there", "goes on"],
  ["Cilium goes back from 2 to 1", "goes back"],
  ["with it goes with the rest", "goes with"],
  ["all problems are told at once", "are told"],
  ["it stands in no argument", "stands"],
  ["the machine is let be", "is let be"],
  ["XDP would pass node encryption by", "pass node encryption by"],
  ["a function passes the bridge by", "passes the bridge by"],
  ["no credential lies about", "lies about"],
  ["what stood there before", "stood"],
  ["a header would stand beside it", "stand beside "],
  ["a stand-in for the field", "stand-in"],
  ["where the image cannot be had", "cannot be had"],
  ["an even number bears no more", "bears"],
])("%s", (line, phrase) => {
  expect(refusedWords(`good\n${line}\n`)).toEqual([
    expect.stringMatching(`^2: "${phrase}"; write: `),
  ]);
});

it.each([
  "It is recommended, and amended.",
  "understands; withstands",
  "packets pass through it, followed by others",
  "a packet goes to the node",
  "a standalone process on standby",
])("%s: is standard", (line) => {
  expect(refusedWords(line)).toEqual([]);
});

it("reports every phrase of a line", () => {
  expect(refusedWords("stands anew")).toHaveLength(2);
});
