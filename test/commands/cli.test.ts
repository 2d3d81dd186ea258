import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { exitCodes } from "../../commands/exit-codes.ts";
import { commands } from "../../commands/program.ts";
import { root } from "../root.ts";
import { runCommand, runProcess } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const main = join(root, "commands/main.ts");

describe.concurrent("the command", () => {
  it("-h and --help: on stdout, with every command and every exit code", async () => {
    const [short, long, before] = await Promise.all([
      runCommand("-h"),
      runCommand("--help"),
      runProcess("-h", "check"),
    ]);
    expect(before).toMatchObject({ exitCode: 0, stdout: long.stdout });
    expect(long).toMatchObject({ exitCode: 0, stderr: "", stdout: short.stdout });
    for (const name of Object.keys(commands)) expect(long.stdout).toMatch(`\n  ${name} `);
    for (const [code, means] of Object.entries(exitCodes))
      expect(long.stdout).toMatch(new RegExp(`^ {2}${code} +${means}$`, "m"));
  });

  it.each<[string[], RegExp]>([
    [[], /^Usage: oslo-cluster /],
    [["chek", "dev"], /^error: unknown command 'chek'\n\(Did you mean check\?\)/],
    [["verify", "dev", "--jsno"], /^error: unknown option '--jsno'\n\(Did you mean --json\?\)/],
    [["drift", "dev", "test"], /^error: too many arguments for 'drift'/],
    [["help", "chek"], /^error: unknown command 'chek'\n\(oslo-cluster --help lists/],
    [["etcd", "restore"], /^error: .*'stack'\n\(oslo-cluster etcd restore --help lists/],
    [["completion", "csh"], /^error: .*'csh' is invalid.*Allowed choices are bash, zsh, fish/],
  ])("%j: exit 2, and what was meant", async (args, message) => {
    const { exitCode, stdout, stderr } = await runCommand(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("is on the PATH of a checkout once npm ci has run, as messages and pages name it", async () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    symlinkSync(join(root, "commands"), join(folder, "commands"));
    await execa("sh", ["-c", scripts.prepare], { cwd: folder });
    const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
    const command = join(folder, "node_modules/.bin/oslo-cluster");
    const { stdout } = await execa(command, ["--help"], { cwd: folder, env: { PATH } });
    expect(stdout).toMatch(/^Usage: oslo-cluster /);
  });

  it("ends its process with the exit code", async () => {
    const ran = await runProcess("chek", "dev");
    expect(ran).toMatchObject({ exitCode: 2, stdout: "" });
    expect(ran).toEqual(await runCommand("chek", "dev"));
  });

  it("describes every command and option", async () => {
    for (const load of Object.values(commands)) {
      const { command } = await load();
      for (const one of [command, ...command.commands]) {
        expect(one.description()).toMatch(/\.( |\n|$)/);
        for (const { description } of one.options) expect(description).not.toBe("");
      }
    }
  });
});

describe.concurrent("colour", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["into a file: none", {}, false],
    ["with FORCE_COLOR", { FORCE_COLOR: "1" }, true],
    ["with NO_COLOR: none", { NO_COLOR: "1" }, false],
  ])("%s", async (_, more, expected) => {
    const { NO_COLOR: _no, FORCE_COLOR: _force, ...inherited } = process.env;
    const code = `import { formatTable } from "./verify/report.ts";
console.log(formatTable([{ promise: "p", proof: "q", fix: "f", answered: true, reading: "r", seconds: 1, verdict: "pass" }]))`;
    const call = ["--input-type", "module", "--eval", code];
    const options = { cwd: root, env: { ...inherited, ...more }, extendEnv: false };
    const { stdout } = await execa(process.execPath, call, options);
    expect(stdout.includes("\u001b[32m")).toBe(expected);
  });
});

describe("completion", () => {
  writeFileSync(join(folder, "Pulumi.dev.yaml"), "");
  writeFileSync(join(folder, "Pulumi.production.yaml"), "");

  const lines: [line: string, has: string[], hasNot: string[]][] = [
    ["", Object.keys(commands), ["dev"]],
    ["ver", ["verify"], ["check"]],
    ["check ", ["dev", "production"], ["check"]],
    ["verify dev --j", ["--json", "--junit"], ["--only"]],
    ["ephemeral ", ["up", "down", "list", "reap"], ["dev"]],
    ["ephemeral up x --t", ["--ttl"], ["--from"]],
    ["completion ", ["bash", "zsh", "fish"], ["dev"]],
  ];

  it("bash completes a line", async () => {
    const script = `source <(${process.execPath} ${main} completion bash)
for line in "$@"; do
  IFS=' ' read -r -a COMP_WORDS <<<"oslo-cluster $line"
  [[ -z $line || $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  _oslo_cluster
  echo "\${COMPREPLY[*]}"
done`;
    const call = ["-c", script, "bash", ...lines.map(([line]) => line)];
    const { stdout } = await execa("bash", call, { cwd: folder });
    const completions = stdout.split("\n").map((words) => words.split(" "));
    for (const [i, [line, has, hasNot]] of lines.entries()) {
      expect(completions[i], line).toEqual(expect.arrayContaining(has));
      for (const word of hasNot) expect(completions[i], line).not.toContain(word);
    }
  });

  it.each(["zsh", "fish"])("%s gets every command", async (shell) => {
    const { exitCode, stdout } = await runCommand("completion", shell);
    expect(exitCode).toBe(0);
    for (const name of Object.keys(commands)) expect(stdout).toContain(name);
  });
});
