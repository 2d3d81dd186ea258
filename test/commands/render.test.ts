import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, test as base, describe, expect } from "vitest";
import { stackPicture } from "../../commands/picture/stack.ts";
import { planFiles } from "../../plan/files.ts";
import { configOf, planOf, stackFiles } from "../stacks.ts";
import { runCommand } from "./run.ts";

const test = base.extend<{ out: string }>({
  out: async ({ task: _ }, use) => {
    const folder = mkdtempSync(join(tmpdir(), "render-"));
    await use(join(folder, "out"));
    rmSync(folder, { recursive: true });
  },
});

/** Every file below a directory, but for the marker of a rendering. */
function filesBelow(directory: string): [string, string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path): [string, string] => [path.slice(directory.length + 1), readFileSync(path, "utf8")])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

let first: ReturnType<typeof render> | undefined;
async function render() {
  const folder = mkdtempSync(join(tmpdir(), "rendered-"));
  await runCommand("render", "Pulumi.articles.yaml", "--out", join(folder, "out"));
  return folder;
}
afterAll(async () => first && rmSync(await first, { recursive: true }));

/** A rendering that was there before. */
async function rendered(out: string) {
  first ??= render();
  cpSync(join(await first, "out"), out, { recursive: true });
}

describe.concurrent("render", () => {
  test("writes the plan, one file each", async ({ out }) => {
    const { exitCode, stdout } = await runCommand("render", "Pulumi.articles.yaml", "--out", out);
    const planned = [...planFiles(planOf("articles"))];
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `${out}: ${planned.length} files`,
    });
    expect(filesBelow(out)).toEqual(planned);
  });

  test("refuses what cannot be written, with its name, and writes nothing", async ({ out }) => {
    mkdirSync(out);
    const file = join(out, "file");
    writeFileSync(file, "mine");
    const [folder, picture] = await Promise.all([
      runCommand("render", "articles", "--out", file),
      runCommand("render", "articles", "--out", join(out, "new"), "--svg", out),
    ]);
    expect(folder).toMatchObject({
      exitCode: 1,
      stderr: `--out: ${file}: a file; move it away, or name another folder`,
    });
    expect(picture).toMatchObject({
      exitCode: 1,
      stderr: `--svg: ${out}: a folder; name a file that can be written`,
    });
    expect(readdirSync(out)).toEqual(["file"]);
  });

  test("makes the picture's folder", async ({ out }) => {
    const svg = join(out, "deep/stack.svg");
    expect(await runCommand("render", "articles", "--svg", svg)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg /);
  });

  test("again removes what only the earlier rendering had, and its empty folders", async ({
    out,
  }) => {
    const fewer = join(out, "../Pulumi.fewer.yaml");
    const text = readFileSync(stackFiles.articles, "utf8");
    writeFileSync(fewer, text.replace(/ {6}- name: worker-2\n(?: {8}.*\n)+/, ""));
    await rendered(out);
    expect(existsSync(join(out, "nodes/worker-2"))).toBe(true);
    expect(await runCommand("render", fewer, "--out", out)).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(out, "nodes/worker-2"))).toBe(false);
    expect(existsSync(join(out, "nodes/worker-1/node.yaml"))).toBe(true);
    await runCommand("render", "Pulumi.articles.yaml", "--out", out);
    expect(filesBelow(out)).toEqual([...planFiles(planOf("articles"))]);
  });

  test("removes nothing that it did not write: a .git and notes remain", async ({ out }) => {
    await rendered(out);
    const own = [".git/HEAD", "notes.txt", "nodes/worker-2/why.txt"].map((name) => join(out, name));
    for (const file of own) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "mine");
    }
    expect(await runCommand("render", "Pulumi.articles.yaml", "--out", out)).toMatchObject({
      exitCode: 0,
    });
    for (const file of own) expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("overwrites nothing that it did not write", async ({ out }) => {
    await rendered(out);
    const manifest = join(out, ".oslo-cluster-render");
    const lines = readFileSync(manifest, "utf8").split("\n");
    writeFileSync(manifest, lines.filter((line) => line !== "cluster/verify.yaml").join("\n"));
    writeFileSync(join(out, "cluster/verify.yaml"), "mine");
    const { exitCode, stderr } = await runCommand("render", "Pulumi.articles.yaml", "--out", out);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^--out: .*cluster\/verify\.yaml: not of an earlier rendering; /);
    expect(readFileSync(join(out, "cluster/verify.yaml"), "utf8")).toBe("mine");
  });

  test("follows no manifest and no link out of its directory", async ({ out }) => {
    await rendered(out);
    const outside = join(out, "../outside");
    mkdirSync(outside);
    for (const name of ["a", "verify.yaml"]) writeFileSync(join(outside, name), "mine");
    const manifest = join(out, ".oslo-cluster-render");
    const lines = readFileSync(manifest, "utf8");
    writeFileSync(manifest, `${lines}../outside/a\n`);
    const refused = await runCommand("render", "Pulumi.articles.yaml", "--out", out);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("../outside/a") });
    writeFileSync(manifest, lines);
    rmSync(join(out, "cluster"), { recursive: true });
    symlinkSync(outside, join(out, "cluster"));
    expect(await runCommand("render", "Pulumi.articles.yaml", "--out", out)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^--out: .*cluster: a link/),
    });
    expect(filesBelow(outside)).toEqual([
      ["a", "mine"],
      ["verify.yaml", "mine"],
    ]);
  });

  test("refuses a directory that holds something else, and leaves it alone", async ({ out }) => {
    mkdirSync(out);
    writeFileSync(join(out, "thesis.txt"), "years of work");
    const { exitCode, stderr } = await runCommand("render", "Pulumi.articles.yaml", "--out", out);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^--out: .*: not empty, and not an earlier rendering; .*name another/);
    expect(filesBelow(out)).toEqual([["thesis.txt", "years of work"]]);
  });

  test("of an invalid stack writes nothing", async ({ out }) => {
    const file = join(out, "../Pulumi.bad.yaml");
    writeFileSync(file, "config:\n  oslo-cluster:cluster: { name: BAD }\n");
    const { exitCode, stderr } = await runCommand("render", file, "--out", out);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cluster.name: BAD: ");
    expect(existsSync(out)).toBe(false);
  });

  test("--svg writes the stack as a picture", async ({ out }) => {
    const file = `${out}.svg`;
    expect(await runCommand("render", "articles", "--svg", file)).toMatchObject({
      exitCode: 0,
      stdout: `${file}: 3 nodes`,
    });
    expect(readFileSync(file, "utf8")).toBe(stackPicture(configOf("articles")));
    rmSync(file);
    expect(existsSync(out)).toBe(false);
  });

  test("with nothing to write: exit 2", async ({ out: _ }) => {
    expect(await runCommand("render", "Pulumi.articles.yaml")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^render: write --out <directory>, --svg <file>, or both$/),
    });
  });
});
