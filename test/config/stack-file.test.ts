import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadStackFile, project } from "../../config/load.ts";
import { ConfigError } from "../../config/problem.ts";
import { root } from "../root.ts";
import { stack } from "../stack.ts";

const folder = mkdtempSync(join(tmpdir(), "stack-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const path = join(folder, "Pulumi.x.yaml");
  writeFileSync(path, text);
  return path;
}

/** The valid stack as a stack's file; a section that is a text stands there as it is. */
function file(sections: Record<string, unknown> = {}): string {
  const lines = Object.entries({ ...stack(), ...sections }).map(
    ([key, value]) =>
      `  oslo-cluster:${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `config:\n${lines.join("\n")}\n`;
}

const problems = (text: string) => {
  try {
    loadStackFile(write(text));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe("the example stack", () => {
  const config = loadStackFile(join(root, "Pulumi.dev.yaml"));

  it("loads", () => {
    expect(config.nodes.map(({ name, role }) => `${name} ${role}`)).toEqual([
      "cp-1 control-plane",
      "worker-1 worker",
      "worker-2 worker",
    ]);
    expect(config.network.families).toEqual([4, 6]);
    expect(
      config.gatewayApi.routes.map(({ backends }) => (backends ?? []).map((b) => b.weight)),
    ).toEqual([
      [90, 10],
      [90, 10],
      [90, 10],
      [95, 5],
    ]);
  });

  it("gets the defaults that follow from other fields", () => {
    expect(config.cluster.endpoint).toEqual({ host: "10.10.0.11", port: 6443, isAddress: true });
    expect(config.network.podSubnets).toEqual(["10.244.0.0/16", "fd00:10:244::/56"]);
    expect(config.network.serviceSubnets).toEqual(["10.96.0.0/16", "fd00:10:96::/112"]);
    expect(config.artifacts.kubernetes.url).toBe("https://pkgs.k8s.io/core:/stable:/v1.36/deb");
    expect(config.cilium.operatorReplicas).toBe(2);
  });

  it("is of the project of Pulumi.yaml", async () => {
    const { readFile } = await import("node:fs/promises");
    expect(parse(await readFile(join(root, "Pulumi.yaml"), "utf8")).name).toBe(project);
  });
});

describe("a stack's file", () => {
  it("is taken, with keys of other projects left to them", () => {
    expect(problems(`${file()}  aws:region: eu-north-1\n`)).toEqual([]);
  });

  it("with a section that does not exist is refused", () => {
    expect(problems(file({ netwrk: {} }))).toEqual([
      expect.objectContaining({ path: "netwrk", why: "no such field" }),
    ]);
  });

  it("with a bare NO is told what YAML makes of it", () => {
    expect(problems(file({ cluster: "{ name: x, residency: NO }" }))).toEqual([
      expect.objectContaining({ path: "cluster.residency", value: false }),
    ]);
    expect(problems(file({ cluster: '{ name: x, residency: "NO" }' }))).toEqual([]);
  });

  it("with a version that YAML takes for a number is told to write it in full", () => {
    expect(problems(file({ kubernetes: "{ version: 1.36 }" }))).toEqual([
      expect.objectContaining({ path: "kubernetes.version", value: 1.36 }),
    ]);
  });

  it.each([
    ["no map", "- a\n"],
    ["empty", ""],
    ["without config", "environment: []\n"],
    ["with a list as config", "config: [1]\n"],
    ["no YAML", "config: {\n"],
  ])("that is %s is refused in one line", (_, text) => {
    const found = problems(text);
    expect(found).toEqual([
      expect.objectContaining({ fix: expect.stringContaining("oslo-cluster:") }),
    ]);
    expect(found[0]?.why).toMatch(/^.+$/);
  });

  it("that is not there is refused with its name", () => {
    expect(() => loadStackFile(join(folder, "none.yaml"))).toThrow(/none\.yaml: 1 error\n.*ENOENT/);
  });
});
