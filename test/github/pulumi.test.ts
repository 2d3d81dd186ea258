import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { root } from "../root.ts";

const place = mkdtempSync(join(tmpdir(), "pulumi-"));
afterAll(() => rmSync(place, { recursive: true }));
const [project, releases, target] = ["project", "releases", "target"].map((it) =>
  join(place, it),
) as [string, string, string];
const arm = process.arch === "arm64";
const sdk = `sdk/pulumi-v1.2.3-linux-${arm ? "arm64" : "x64"}.tar.gz`;
const plugin = `plugins/pulumi-resource-command-v4.5.6-linux-${arm ? "arm64" : "amd64"}.tar.gz`;

/** A release whose `pulumi` writes down what it is asked. */
function release(file: string, words: string) {
  const content = join(place, "content/pulumi");
  rmSync(content, { recursive: true, force: true });
  mkdirSync(content, { recursive: true });
  writeFileSync(
    join(content, "pulumi"),
    `#!/bin/sh\necho "${words} $*" >>"$(dirname "$0")/asked"\n`,
  );
  chmodSync(join(content, "pulumi"), 0o755);
  mkdirSync(dirname(join(releases, file)), { recursive: true });
  execFileSync("tar", ["-C", dirname(content), "-czf", join(releases, file), "pulumi"]);
}

const pulumi = (...args: string[]) =>
  execa(join(root, ".github/scripts/pulumi.sh"), args, {
    cwd: project,
    reject: false,
    env: { PULUMI_RELEASES: `file://${releases}` },
  });

beforeEach(() => {
  for (const folder of [project, target]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(project, ".github"), { recursive: true });
  writeFileSync(join(project, ".pulumi.version"), "1.2.3\n");
  const dependencies = {
    ...{ "@pulumi/command": "4.5.6", "@pulumi/policy": "1.0.0", "@pulumi/pulumi": "7.0.0" },
    zod: "1.0.0",
  };
  writeFileSync(join(project, "package.json"), JSON.stringify({ dependencies }));
  release(sdk, "good");
  release(plugin, "plugin");
});

describe("pulumi.sh", () => {
  it("installs what was pinned, the CLI and the plugins", async () => {
    expect((await pulumi("pin")).exitCode).toBe(0);
    const { exitCode, stderr } = await pulumi("install", target);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(readFileSync(join(target, "asked"), "utf8")).toMatch(
      /^good plugin install resource command 4\.5\.6 --file \S+command-v4\.5\.6\S+\n$/,
    );
  });

  it.each([
    ["the CLI", sdk],
    ["a plugin", plugin],
  ])("refuses %s that is not the one that was pinned, and runs nothing", async (_, file) => {
    await pulumi("pin");
    release(file, "evil");
    const { exitCode, stderr } = await pulumi("install", target);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${file}: not the file that was pinned`);
    expect(() => readFileSync(join(target, "asked"))).toThrow();
  });

  it("refuses what has no checksum, before it downloads", async () => {
    rmSync(releases, { recursive: true });
    const { exitCode, stderr } = await pulumi("install", target);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no checksum of pulumi-v1.2.3");
    expect(stderr).toContain("no checksum of pulumi-resource-command-v4.5.6");
  });

  it("another version needs another pin", async () => {
    await pulumi("pin");
    writeFileSync(join(project, ".pulumi.version"), "1.2.4\n");
    expect((await pulumi("install", target)).stderr).toContain("no checksum of pulumi-v1.2.4");
  });
});
