import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { root } from "../root.ts";

const run = (file: string, ...args: string[]) =>
  execa(process.execPath, [join(root, "test/lab", file), ...args], { reject: false });

it.each([
  ["main.ts", ["--help"], /take everything away/],
  ["main.ts", ["up", "--help"], /bring hosts and cluster up/],
  ["main.ts", ["exec", "--help"], /run a command in the lab/],
  ["benchmark.ts", ["--help"], /how many of each/],
])("%s %j says what it does, and does nothing", async (file, args, said) => {
  const { exitCode, stdout } = await run(file, ...args);
  expect(stdout).toMatch(/^Usage: npm run lab/);
  expect(stdout).toMatch(said);
  expect(exitCode).toBe(0);
});

it.each([
  ["main.ts", ["nonsense"], /nonsense|too many arguments/],
  ["main.ts", ["down", "--nonsense"], /unknown option '--nonsense'/],
  ["main.ts", ["verify", "dev"], /too many arguments/],
  ["benchmark.ts", ["many"], /Give a whole number/],
  ["benchmark.ts", ["--pairs"], /unknown option '--pairs'/],
])("%s %j is refused", async (file, args, said) => {
  const { exitCode, stderr } = await run(file, ...args);
  expect(stderr).toMatch(said);
  expect(exitCode).toBe(1);
});
