import { describe, expect, it } from "vitest";
import { runCommand, runProcess } from "./run.ts";

describe.concurrent("verify", () => {
  it.each<[what: string, args: string[], message: RegExp, exits?: number]>([
    [
      "a word that no promise holds",
      ["articles", "--only", "xyzzy"],
      /^--only: xyzzy: no promise contains it; docs\/verification\.md lists the promises$/,
      2,
    ],
    [
      "a kubeconfig that is not there",
      ["articles", "--only", "dsr", "--kubeconfig", "none"],
      /^--kubeconfig: none: no such file; /,
    ],
    [
      "a file of results that cannot be written",
      ["articles", "--junit", "Pulumi.articles.yaml/x", "--kubeconfig", "none"],
      /^--junit: Pulumi\.articles\.yaml\/x: Pulumi\.articles\.yaml is a file; name a file that can be written$/,
    ],
    ["a stack that is not there", ["none"], /^none: no such stack/],
    ["a file that is no stack's", ["../package.json"], /^\.\.\/package\.json: 1 error/],
    [
      "an unknown option",
      ["articles", "--jsn"],
      /^error: unknown option '--jsn'\n\(Did you mean --json\?\)/,
      2,
    ],
  ])("%s: reported in a line", async (_, args, message, exits = 1) => {
    const { exitCode, stdout, stderr } = await runCommand("verify", ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: exits, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it("an empty kubeconfig on standard input: reported in a line", async () => {
    expect(await runProcess("verify", "articles", "--kubeconfig", "-")).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "--kubeconfig: -: standard input is empty",
    });
  });
});
