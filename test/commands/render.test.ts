import {
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
import { test as base, describe, expect } from "vitest";
import { planFiles } from "../../plan/files.ts";
import { planOf } from "../stacks.ts";
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

describe.concurrent("render", () => {
  test("writes the plan, one file each", async ({ out }) => {
    const { exitCode, stdout } = await runCommand("render", "Pulumi.dev.yaml", "--out", out);
    const planned = [...planFiles(planOf("dev"))];
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `${out}: ${planned.length} files`,
    });
    expect(filesBelow(out)).toEqual(planned);
  });

  test("again replaces an earlier rendering as a whole", async ({ out }) => {
    await runCommand("render", "Pulumi.dev.yaml", "--out", out);
    writeFileSync(join(out, "nodes/left-over"), "of an earlier node");
    expect(await runCommand("render", "Pulumi.dev.yaml", "--out", out)).toMatchObject({
      exitCode: 0,
    });
    expect(filesBelow(out)).toEqual([...planFiles(planOf("dev"))]);
  });

  test("refuses a directory that holds something else, and leaves it alone", async ({ out }) => {
    mkdirSync(out);
    writeFileSync(join(out, "thesis.txt"), "years of work");
    const { exitCode, stderr } = await runCommand("render", "Pulumi.dev.yaml", "--out", out);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^--out: .*: not empty, and not an earlier rendering; name another/);
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

  test("without --out: exit 2 and the usage", async ({ out: _ }) => {
    expect(await runCommand("render", "Pulumi.dev.yaml")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^usage: .*--out/),
    });
  });
});
