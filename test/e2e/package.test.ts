import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pulumiOnPath } from "../../commands/engine/cli.ts";
import { type PulumiStacks, previewSummary, pulumiStacks } from "../../commands/engine/stacks.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { pluginEnvironment } from "../lab/engine.ts";
import { Progress } from "../lab/progress.ts";
import { root } from "../root.ts";
import { failureOf } from "./engine/sandbox.ts";

// The package as npm installs it into a folder of the operator's own, whose Pulumi program it is.

const folder = mkdtempSync(join(tmpdir(), "project-"));
afterAll(() => rmSync(folder, { recursive: true }));
const installed = join(folder, "node_modules/oslo-cluster");
const bin = join(folder, "bin");
let stacks: PulumiStacks;

beforeAll(async () => {
  const env = { TMPDIR: folder };
  await execa("npm", ["pack", "--pack-destination", folder], { cwd: root, env });
  const [archive = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  mkdirSync(installed, { recursive: true });
  const unpack = ["--extract", "--strip-components", "1", "--file", join(folder, archive)];
  await execa("tar", [...unpack, "--directory", installed]);
  for (const name of readdirSync(join(root, "node_modules")))
    if (!name.startsWith("."))
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));

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
  const command = pulumiOnPath() ?? (await makePulumi(new Progress()));
  const path = [bin, join(root, "test/lab/plugins/bin"), dirname(process.execPath)];
  mkdirSync(join(folder, "state"));
  stacks = pulumiStacks({
    command: [command],
    directory: folder,
    env: {
      ...pluginEnvironment({ command, plugins: "own" }, join(folder, "home")),
      PATH: [...path, process.env.PATH].join(delimiter),
      SSH_AUTH_SOCK: "/agent",
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
    },
  });
  await stacks.create("oslo");
}, 30 * 60_000);

describe("a project whose program is the package", { timeout: 300_000 }, () => {
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
