import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileBackend } from "../../commands/engine/file-backend.ts";
import { type PulumiStacks, previewSummary, pulumiStacks } from "../../commands/engine/stacks.ts";
import { planFiles } from "../../plan/files.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { pluginEnvironment } from "../lab/engine.ts";
import { root } from "../root.ts";
import { planOf, stackFiles } from "../stacks.ts";
import { failureOf } from "./engine/sandbox.ts";

// The package as npm installs it into a folder of the operator's own, whose Pulumi program it is.

const folder = mkdtempSync(join(tmpdir(), "project-"));
afterAll(() => rmSync(folder, { recursive: true }));
const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const installed = join(folder, "node_modules", own.name);
const bin = join(folder, "bin");
let stacks: PulumiStacks;

beforeAll(async () => {
  const env = { TMPDIR: folder };
  await execa("npm", ["pack", "--pack-destination", folder], { cwd: root, env });
  const [archive = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  mkdirSync(installed, { recursive: true });
  const unpack = ["--extract", "--strip-components", "1", "--file", join(folder, archive)];
  await execa("tar", [...unpack, "--directory", installed]);
  // The packages that it depends on at run time alone.
  for (const name of Object.keys(own.dependencies)) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }

  copyFileSync(join(root, "examples/Pulumi.two-nodes.yaml"), join(folder, "Pulumi.oslo.yaml"));
  const url = pathToFileURL(join(installed, "dist/commands/init/project.js")).href;
  const { projectText } = await import(url);
  writeFileSync(join(folder, "Pulumi.yaml"), projectText(folder));

  // Machines that say what reaches them, and an agent that has a key.
  mkdirSync(bin);
  const tool = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  tool("ssh", 'wc -c | sed "s/^/bytes that reach a machine: /" >&2; exit 1');
  tool("ssh-add", "exit 0");
  const command = await makePulumi();
  const path = [bin, join(root, "test/lab/plugins/bin"), dirname(process.execPath)];
  mkdirSync(join(folder, "state"));
  stacks = pulumiStacks({
    command: [command],
    directory: folder,
    env: {
      ...pluginEnvironment({ command, plugins: "own" }, join(folder, "home")),
      PATH: [...path, process.env.PATH].join(delimiter),
      SSH_AUTH_SOCK: "/agent",
      PULUMI_BACKEND_URL: fileBackend(join(folder, "state")),
      PULUMI_CONFIG_PASSPHRASE: "test",
    },
  });
  await stacks.create("oslo");
}, 30 * 60_000);

/** The installed command, in a folder that has a stack's file alone. */
async function run(...args: string[]) {
  const options = { cwd: folder, reject: false } as const;
  const command = join(installed, own.bin["oslo-cluster"]);
  return execa(process.execPath, [command, ...args], options);
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

describe("the package, installed elsewhere", { timeout: 900_000 }, () => {
  it("is JavaScript, with every file that the program reads beside it", () => {
    const files = filesBelow(installed);
    expect(files.filter((name) => name.endsWith(".ts"))).toEqual([]);
    const wanted = ["commands", "components", "plan", "policy", "steps"].flatMap((room) =>
      filesBelow(join(root, room))
        .filter((name) => !name.endsWith(".ts"))
        .map((name) => join("dist", room, name)),
    );
    expect(wanted.length).toBeGreaterThan(30);
    expect(wanted.filter((name) => !files.includes(name))).toEqual([]);
  });

  it("has the pages that its messages name", () => {
    const files = filesBelow(installed);
    const code = files.filter((name) => /\.(js|sh)$/.test(name));
    const named = code.flatMap((name) =>
      [...readFileSync(join(installed, name), "utf8").matchAll(/\bdocs\/[a-z-]+\.md/g)].map(
        ([page]) => page,
      ),
    );
    expect(new Set(named).size).toBeGreaterThan(2);
    expect(named.filter((page) => !files.includes(page))).toEqual([]);
  });

  it("tells its version", async () => {
    expect(await run("--version")).toMatchObject({ exitCode: 0, stdout: own.version });
  });

  it("starts Node with what saves memory, as npm's link to it does", async () => {
    const command = join(installed, own.bin["oslo-cluster"]);
    chmodSync(command, 0o755);
    const tell = "--import=data:text/javascript,console.error(process.execArgv.join())";
    const env = { NODE_OPTIONS: tell, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
    const { stderr } = await execa(command, ["--version"], { env });
    expect(stderr).toBe("--max-semi-space-size=8");
  });

  it("plans the same bytes, steps and CRDs among them", async () => {
    await execa("cp", [stackFiles.articles, folder]);
    expect(await run("check", "articles")).toMatchObject({ exitCode: 0 });
    const out = join(folder, "out");
    expect(await run("render", "articles", "--out", out)).toMatchObject({ exitCode: 0 });
    const planned = planFiles(planOf("articles"));
    for (const [path, content] of planned)
      expect(readFileSync(join(out, path), "utf8")).toBe(content);
  });

  it.each([
    ["the Pulumi program's components", "components/cluster/cluster.js"],
    ["ephemeral clusters by Pulumi's SDK", "commands/ephemeral/operator-context.js"],
    ["the bundle of a step", "steps/bundle.js"],
  ])("loads %s", async (_, file) => {
    const url = join(installed, "dist", file);
    const code = `await import(${JSON.stringify(url)})`;
    const options = { cwd: folder, reject: false } as const;
    const call = ["--input-type", "module", "--eval", code];
    expect(await execa(process.execPath, call, options)).toMatchObject({ exitCode: 0 });
  });
});

describe("a project whose program is the package", { timeout: 900_000 }, () => {
  it("is previewed, every resource of it", async () => {
    const { create } = previewSummary(await stacks.preview("oslo", "--json"));
    expect(create).toBeGreaterThan(30);
  });

  it("reaches machines with its scripts, from its own folder", async () => {
    const said = await failureOf(stacks.up("oslo"));
    const [, bytes] = said.match(/bytes that reach a machine: (\d+)/) ?? [];
    // All scripts, packed.
    expect(Number(bytes)).toBeGreaterThan(20_000);
    expect(said).not.toMatch(/Cannot find module|can't open|No such file/);
  });
});
