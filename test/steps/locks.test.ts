import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../root.ts";

// Whoever may open a file may hold its lock, also one who may only read it: for ever, so that no certificate is renewed
// and no machine released.

const scripts = readdirSync(join(root, "steps"), { recursive: true, encoding: "utf8" }).filter(
  (path) => path.endsWith(".sh"),
);

/** Files that a script opens to lock them, and what it says before. */
const locks = scripts.flatMap((script) => {
  const text = readFileSync(join(root, "steps", script), "utf8");
  return [...text.matchAll(/^ *exec \d>("?)(\S+)\1$/gm)].map(
    ({ index, 2: file = "" }): [string, string, string] => [script, file, text.slice(0, index)],
  );
});

it("are found", () => {
  expect(locks.length).toBeGreaterThan(6);
});

it.each(locks)("%s: %s can be opened by root alone", (_, file, before) => {
  const isMadeFirst = before
    .split("\n")
    .some((line) => line.includes("(umask 077 &&") && /: >>("?)(\S+)\1\)/.exec(line)?.[2] === file);
  expect(isMadeFirst || /^umask 077$/m.test(before)).toBe(true);
});
