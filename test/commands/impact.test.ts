import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { marker } from "../../commands/impact/markdown.ts";
import { project } from "../../config/load.ts";
import { hostKey } from "../host-key.ts";
import { root } from "../root.ts";
import { stackFiles } from "../stacks.ts";
import { runCommandIn } from "./run.ts";

/** A repository of its own that has a stack, one commit. */
const folder = mkdtempSync(join(tmpdir(), "impact-"));
const repository = join(folder, "repository");
const stackFile = join(repository, "Pulumi.dev.yaml");
const git = (...args: string[]) =>
  execa("git", ["-c", "user.name=t", "-c", "user.email=t@example.no", ...args], {
    cwd: repository,
  });
/** @param render The script of package.json that renders a plan of this revision. */
const writePackage = (render: string) =>
  writeFileSync(
    join(repository, "package.json"),
    JSON.stringify({ name: project, scripts: { render } }),
  );
/** The program's own script, from elsewhere. */
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const own: string = scripts.render.replace("commands/main.ts", join(root, "commands/main.ts"));
/** The same, once for each stack's file: most tests differ in the work tree alone. */
const once = `import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
const [command, file, option, out] = process.argv.slice(2);
const text = createHash("sha256").update(readFileSync(file)).digest("hex");
const kept = ${JSON.stringify(folder)} + "/" + text + option;
const main = ${JSON.stringify(join(root, "commands/main.ts"))};
if (!existsSync(kept)) execFileSync(process.execPath, [main, command, file, option, kept]);
cpSync(kept, out, { recursive: true });
`;

beforeAll(async () => {
  mkdirSync(repository);
  copyFileSync(stackFiles.articles, stackFile);
  writePackage(own);
  await git("init", "-q");
  await git("add", "-A");
  await git("commit", "-qm", "base, by the program's own script");
  writeFileSync(join(folder, "once.mjs"), once);
  writePackage(`node ${join(folder, "once.mjs")} render`);
  await git("commit", "-qam", "base");
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** With a stack file in the work tree that differs from the committed one. */
async function impact(edit: (text: string) => string, args: string[], path = "") {
  const committed = readFileSync(stackFile, "utf8");
  writeFileSync(stackFile, edit(committed));
  const temporary = mkdtempSync(join(folder, "tmp-"));
  try {
    const env = {
      TMPDIR: temporary,
      ...(path ? { PATH: `${path}:${process.env.PATH}` } : {}),
    };
    const result = await runCommandIn({ cwd: repository, env }, "impact", ...args);
    expect(readdirSync(temporary), "nothing is left behind").toEqual([]);
    return result;
  } finally {
    writeFileSync(stackFile, committed);
  }
}

const same = (text: string) => text;
const otherWeights = (text: string) =>
  text.replace("weight: 95", "weight: 90").replace("weight: 5 }", "weight: 10 }");
const otherKey = (text: string) =>
  text.replace(/hostKey: ssh-ed25519 \S+IHGy\S+/, `hostKey: ${hostKey("other")}`);
const noEngine = ["--base", "HEAD", "--no-preview"];

describe("impact", { timeout: 600_000 }, () => {
  it("of an edit: the change, its label, its diff, and the comment", async () => {
    const file = join(folder, "comment.md");
    const args = ["--base", "HEAD~1", "--no-preview", "--markdown", file];
    const { exitCode, stdout } = await impact(otherWeights, args);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^dev: 1 live \(the cluster\)$/m);
    expect(stdout).toMatch(/^ +\+ +weight: 90$/m);
    const comment = readFileSync(file, "utf8");
    expect(comment).toContain(marker);
    expect(comment).toContain("### dev: 1 live (the cluster)");
  });

  it("--pictures: the stack before and after, where its picture changed", async () => {
    const pictures = join(folder, "pictures");
    const file = join(folder, "pictures.md");
    const args = [...noEngine, "--pictures", pictures, "--markdown", file];
    const fewer = (text: string) => text.replace(/ {6}- name: worker-2\n(?: {8}.*\n)+/, "");
    const { stdout } = await impact(fewer, args);
    expect(readdirSync(pictures)).toEqual(["dev.after.svg", "dev.before.svg"]);
    const [after, before] = readdirSync(pictures).map((name) =>
      readFileSync(join(pictures, name), "utf8"),
    );
    expect([before, after].map((picture) => picture?.includes("worker-2"))).toEqual([true, false]);
    expect(stdout).toMatch(
      /^ {2}the stack's picture changed: .*dev\.before\.svg, .*dev\.after\.svg$/m,
    );
    expect(readFileSync(file, "utf8")).toMatch(
      /^- the stack's picture changed: <code>.*dev\.before\.svg<\/code>, <code>.*dev\.after\.svg<\/code> beside/m,
    );
    rmSync(pictures, { recursive: true });
    const unchanged = await impact(otherWeights, args);
    expect(existsSync(pictures)).toBe(false);
    expect(unchanged.stdout).not.toContain("picture");
  });

  it("exits 3 where the policy says so, and writes the comment all the same", async () => {
    const file = join(folder, "refused.md");
    const args = [...noEngine, "--fail-on", "recreate,risk", "--markdown", file];
    const { exitCode, stdout } = await impact(otherKey, args);
    expect(exitCode).toBe(3);
    expect(stdout).toContain("refused by --fail-on: dev: recreate");
    expect(readFileSync(file, "utf8")).toContain("**This needs a decision**: dev: recreate");
  });

  it("of a stack that is not valid any more: exit 1, with its errors", async () => {
    const broken = (text: string) => text.replace("NO-OSL-1", "SE-STO-1");
    const { exitCode, stdout } = await impact(broken, noEngine);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^dev: refused: /m);
    expect(stdout).toMatch(/cluster\.region: SE-STO-1: .+; .+/);
  });

  it("of nothing: exit 0; compared with where the branches parted", async () => {
    await git("checkout", "-q", "-b", "moved");
    await execa("sed", ["-i", "s/NO-OSL-1/NO-OSL-2/", stackFile]);
    await git("commit", "-qam", "main continues");
    await git("checkout", "-q", "-");
    const { exitCode, stdout } = await impact(same, ["--base", "moved", "--no-preview"]);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^dev: no change$/m),
    });
  });

  it("plans the base by the base's own code", async () => {
    writeFileSync(
      join(repository, "former.mjs"),
      `import { mkdirSync, writeFileSync } from "node:fs";
const out = process.argv.at(-1);
mkdirSync(out + "/cluster", { recursive: true });
writeFileSync(out + "/cluster/cluster.yaml", "former: program\\n");
`,
    );
    writePackage("node former.mjs");
    await git("checkout", "-q", "-b", "former");
    await git("add", "-A");
    await git("commit", "-qm", "a former program");
    const { stdout } = await impact(same, ["--base", "former", "--no-preview", "--full"]);
    expect(stdout).toMatch(/^ +-former: program$/m);
    await git("checkout", "-q", "-");
  });

  it("asks the engine where it is on PATH, and names what the plan does not say", async () => {
    const bin = join(folder, "bin");
    await execa("mkdir", ["-p", bin]);
    const urn = "urn:pulumi:dev::oslo-cluster::command:local:Command::worker-1-identity";
    const steps = [{ op: "replace", urn, replaceReasons: ["triggers"] }];
    const fake = `#!/bin/sh\necho "$PULUMI_SKIP_CHECKPOINTS $PULUMI_EXPERIMENTAL $*" >'${folder}/asked'\necho '${JSON.stringify({ steps })}'\n`;
    writeFileSync(join(bin, "pulumi"), fake, { mode: 0o755 });
    const args = ["dev", "--base", "HEAD", "--fail-on", "risk"];
    const { exitCode, stdout } = await impact(otherWeights, args, bin);
    expect(readFileSync(join(folder, "asked"), "utf8")).toMatch(
      /^true true preview --stack dev --policy-pack policy --policy-pack-config policy\/config.json --json /,
    );
    expect(stdout).toMatch(
      /^ {2}risk: the engine would replace worker-1-identity \(for triggers\)/m,
    );
    expect(exitCode).toBe(3);

    writeFileSync(
      join(bin, "pulumi"),
      "#!/bin/sh\necho 'error: no stack named dev found' >&2\nexit 6\n",
    );
    const without = await impact(otherWeights, ["dev", "--base", "HEAD"], bin);
    expect(without.stdout).toContain("no preview of Pulumi's engine: no stack named dev found");
    expect(without.exitCode).toBe(0);
  });

  it("that is interrupted removes what it made, and exits 130", async () => {
    const temporary = join(folder, "interrupted");
    mkdirSync(temporary);
    const begun = join(folder, "begun");
    // One that takes as long as it is let.
    writeFileSync(
      join(repository, "endless.mjs"),
      `import { writeFileSync } from "node:fs";
writeFileSync(${JSON.stringify(begun)}, "");
setInterval(() => {}, 1000);
`,
    );
    writePackage("node endless.mjs");
    await git("checkout", "-q", "-b", "endless");
    await git("add", "-A");
    await git("commit", "-qm", "a program that does not end");
    const running = execa(
      process.execPath,
      [join(root, "commands/main.ts"), "impact", "--base", "HEAD", "--no-preview"],
      { cwd: repository, reject: false, env: { TMPDIR: temporary } },
    );
    await vi.waitUntil(() => existsSync(begun), { timeout: 300_000 });
    expect(readdirSync(temporary)).not.toEqual([]);
    running.kill("SIGTERM");
    expect((await running).exitCode).toBe(130);
    expect(readdirSync(temporary)).toEqual([]);
    await git("checkout", "-q", "-");
  });

  it("outside a git repository is refused", async () => {
    const { exitCode, stderr } = await runCommandIn(
      { cwd: tmpdir(), env: { GIT_CEILING_DIRECTORIES: "/" } },
      ...["impact", "--base", "HEAD"],
    );
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `${tmpdir()}: not a git repository; run impact in the one that has the stacks`,
    });
  });

  it.each([
    [["--base", "nowhere"], 1, /(^|\n)--base: nowhere: no such commit here; fetch it first/],
    [
      ["nope", "--base", "HEAD"],
      1,
      /(^|\n)nope: no such stack in either revision; there are Pulumi\.dev\.yaml/,
    ],
    [["--base", "HEAD", "--fail-on", "terror"], 2, /^--fail-on: terror: no label; write one of/],
    [["--base", "HEAD", "--fail-off"], 2, /--fail-off.*\n.*Did you mean --fail-on/],
    [[], 2, /^error: required option '--base/],
  ])("%j is refused", async (args, code, message) => {
    const { exitCode, stderr } = await impact(same, args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(code);
  });
});
