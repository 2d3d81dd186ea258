import { expect, test } from "vitest";
import { type Answer, lasting, longestGap } from "./api-gap.ts";

// The figure by which a lost control plane is judged, of what a client has printed.

/** Reads that a client has sent at these moments, each answered so many seconds later. */
function reads(asked: readonly number[], seconds: (at: number) => number): Answer[] {
  return asked.map((at) => ({ at: at + seconds(at), seconds: seconds(at), kind: "read" }));
}

/** Ten times a second, from 0 to 20 s. */
const steady = Array.from({ length: 201 }, (_, i) => i / 10);

test("what is not answered for three seconds is a gap of three seconds", () => {
  // Whatever is asked between 5 and 8 is answered at 8.
  const answers = reads(steady, (at) => (at > 5 && at < 8 ? 8 - at : 0));
  const gap = longestGap(answers, answers, 0, 20);
  expect(gap.seconds).toBeCloseTo(3);
  expect(gap.idle).toBeCloseTo(0);
});

test("what a client does not ask for want of a processor is left out, each pause within the gap", () => {
  const asked = steady.filter((at) => !(at > 5 && at < 6.5) && !(at > 7 && at < 8.5));
  const answers = reads(asked, (at) => (at > 5 && at < 9 ? 9 - at : 0));
  const gap = longestGap(answers, answers, 0, 20);
  expect(gap.seconds).toBeCloseTo(4);
  expect(lasting(gap)).toBeCloseTo(1.2);
});

test("a pause elsewhere takes nothing off, and a longer silence than that of the pause is found", () => {
  const asked = steady.filter((at) => !(at > 12 && at < 16));
  const answers = reads(asked, (at) => (at > 5 && at < 8 ? 8 - at : 0));
  const gap = longestGap(answers, answers, 0, 20);
  expect(lasting(gap)).toBeCloseTo(3);
});

test("of what waits yet at the end nothing is taken for a pause", () => {
  // Nothing is answered from 13 on, and given up after five seconds: what was asked after 15 is not printed yet.
  const answers = reads(
    steady.filter((at) => at <= 15),
    (at) => (at > 13 ? 5 : 0),
  ).map((one) => (one.seconds > 0 ? { ...one, error: "given up" } : one));
  expect(lasting(longestGap(answers, answers, 0, 20))).toBeCloseTo(7);
});

test("a client that asks five times a second and not ten takes nothing off", () => {
  const asked = steady.filter((_, i) => i % 2 === 0);
  const answers = reads(asked, (at) => (at > 5 && at < 13 ? 13 - at : 0));
  expect(lasting(longestGap(answers, answers, 0, 20))).toBeCloseTo(8);
});
