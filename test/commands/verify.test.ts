import { describe, expect, it } from "vitest";
import { runCommand } from "./run.ts";

describe.concurrent("verify", { timeout: 20_000 }, () => {
  it("no stack: exit 2 and the usage, with the exit codes", async () => {
    const { exitCode, stderr } = await runCommand("verify");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^usage: npm run verify .*\n.*exit code: 0 .*1 .*4 /s);
  });

  it.each<[string, string[], RegExp]>([
    ["a word that no promise holds", ["dev", "--only", "xyzzy"], /^--only xyzzy: no promise/],
    ["a stack that is not there", ["none"], /^none: 1 error\n.*ENOENT/],
    ["a file that is no stack's", ["package.json"], /^package\.json: 1 error/],
    ["an unknown option", ["dev", "--jsn"], /^Unknown option '--jsn'/],
  ])("%s: exit 1, in a line", async (_, args, message) => {
    const { exitCode, stdout, stderr } = await runCommand("verify", ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
