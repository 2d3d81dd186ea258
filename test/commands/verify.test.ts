import { describe, expect, it } from "vitest";
import { runCommand } from "./run.ts";

describe.concurrent("verify", () => {
  it("no stack: exit 2 and the usage, with the exit codes", async () => {
    const { exitCode, stderr } = await runCommand("verify");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^usage: npm run verify .*\n.*exit code: 0 .*1 .*2 .*4 /s);
  });

  it.each<[what: string, args: string[], message: RegExp, exits?: number]>([
    ["a word that no promise holds", ["dev", "--only", "xyzzy"], /^--only xyzzy: no promise/],
    ["a stack that is not there", ["none"], /^none: 1 error\n.*ENOENT/],
    ["a file that is no stack's", ["package.json"], /^package\.json: 1 error/],
    ["an unknown option", ["dev", "--jsn"], /^Unknown option '--jsn'/, 2],
  ])("%s: told in a line", async (_, args, message, exits = 1) => {
    const { exitCode, stdout, stderr } = await runCommand("verify", ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: exits, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
