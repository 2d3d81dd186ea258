import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { describeWhere } from "../needs.ts";
import { root } from "../root.ts";

// Whoever may open a file may hold its lock, also one who may only read it: for ever, so that no certificate is renewed
// and no machine released.

const steps = join(root, "steps");
const scripts = readdirSync(steps, { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith(".sh"),
);
const textOf = (script: string) => readFileSync(join(steps, script), "utf8");

/** Files that a script opens to lock them, and what it says before. */
const locks = scripts.flatMap((script) => {
  const text = textOf(script);
  return [...text.matchAll(/^ *exec (?:\d|\{\w+\})>("?)(\S+)\1$/gm)].map(
    ({ index, 2: file = "" }): [string, string, string] => [script, file, text.slice(0, index)],
  );
});

describe("a file that is locked", () => {
  it("is opened at the places that wait for a lock, and nowhere else", () => {
    const waits = scripts.filter((script) => /^ *flock /m.test(textOf(script)));
    expect(new Set(locks.map(([script]) => script))).toEqual(new Set(waits));
    expect(waits).toContain("lib.sh");
  });

  it.each(locks)("%s: %s can be opened by root alone", (_, file, before) => {
    const isMadeFirst = before
      .split("\n")
      .some(
        (line) => line.includes("(umask 077 &&") && /: >>("?)(\S+)\1\)/.exec(line)?.[2] === file,
      );
    expect(isMadeFirst || /^umask 077$/m.test(before)).toBe(true);
  });
});

describeWhere(process.platform === "linux", "Linux: flock")("only_one of lib.sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "locks-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "lock");
  const script = (seconds: number, rest: string) =>
    `set -euo pipefail; umask 022; source steps/lib.sh; only_one "${file}" ${seconds} "busy"; ${rest}`;
  const bash = (text: string) => execa("bash", ["-c", text], { cwd: root, reject: false });

  it("makes a file that only its owner can open", async () => {
    expect(await bash(script(0, ":"))).toMatchObject({ exitCode: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("keeps another run out until its own has ended", async () => {
    const first = spawn("bash", ["-c", script(0, "echo held; read -r _")], {
      cwd: root,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = once(first, "exit");
    await once(first.stdout, "data");
    expect(await bash(script(0, ":"))).toMatchObject({ exitCode: 1, stderr: "error: busy" });
    const second = bash(script(60, "echo later"));
    first.stdin.end("\n");
    await ended;
    expect(await second).toMatchObject({ exitCode: 0, stdout: "later" });
  });

  it("is not kept by a child that has closed it", async () => {
    const child = "sleep 60 {lock}>&- >/dev/null 2>&1 & echo $!";
    const { stdout } = await bash(script(0, child));
    expect(await bash(script(0, ":"))).toMatchObject({ exitCode: 0 });
    process.kill(Number(stdout));
  });

  it("is held beside another one", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "");
    const both = script(
      0,
      `only_one "${other}" 0 "other"; flock --nonblock "${file}" true || echo both`,
    );
    expect((await bash(both)).stdout).toBe("both");
  });
});
