import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { hostKey } from "../host-key.ts";
import { stackFiles } from "../stacks.ts";

const folder = mkdtempSync(join(tmpdir(), "refusals-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The example stack with a change of its text, run; what began, and what was said. */
async function run(
  from: string | RegExp,
  to: string,
  machineIds: Record<string, string> = {},
  applied: Record<string, unknown> = {},
) {
  const text = readFileSync(stackFiles.articles, "utf8");
  const changed = text.replace(from, to);
  if (changed === text && from !== "") throw new Error(`the example holds no ${from}`);
  const file = join(mkdtempSync(join(folder, "run-")), "Pulumi.test.yaml");
  writeFileSync(file, changed);
  const program = fileURLToPath(new URL("run-program.ts", import.meta.url));
  const options = { reject: false } as const;
  const args = [program, file, JSON.stringify(machineIds), JSON.stringify(applied)];
  const { exitCode, stdout, stderr } = await execa(process.execPath, args, options);
  return { exitCode, stderr, begun: stdout.split("\n").filter(Boolean) };
}

describe.concurrent("up is refused", () => {
  it("with every error of the configuration, before any resource is registered", async () => {
    const { exitCode, stderr, begun } = await run(
      "      - name: worker-2\n        role: worker\n        addresses: [10.10.0.22",
      "      - name: worker-1\n        role: worker\n        addresses: [10.10.0.21",
    );
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("Pulumi.test.yaml: 2 errors");
    expect(stderr).toContain("nodes.existing[2].name: worker-1: ");
    expect(stderr).toContain("nodes.existing[2].addresses[0]: 10.10.0.21: ");
    expect(begun).toEqual(["oslo-cluster-test"]);
  });

  it("for a section that does not exist, as check does", async () => {
    const { exitCode, stderr } = await run("config:\n", "config:\n  oslo-cluster:netwrk: {}\n");
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/netwrk: .*no such field/);
  });

  it("for a control plane that is another machine than the only one that was applied", async () => {
    const applied = { controlPlanes: { "cp-1": hostKey("former") } };
    const { exitCode, stderr, begun } = await run("", "", {}, applied);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/nodes: cp-1: the only control plane .*OSLO_CLUSTER_ABANDON=cp-1/s);
    expect(begun).toEqual(["oslo-cluster-test", "last-applied"]);
  });

  it("for machines cloned from one disk, and nothing is built on any", async () => {
    const ids = { "cp-1": "same", "worker-1": "same", "worker-2": "other" };
    const { exitCode, stderr, begun } = await run("", "", ids);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/worker-1: machineId same: cp-1 has the same/);
    expect(begun).toContain("worker-1-claim");
    const built = /-(base|runtime|images|control-plane|join)$/;
    expect(begun.filter((name) => built.test(name))).toEqual([]);
  });
});

it("routes whose namespace and name run together are resources of their own", async () => {
  const backends = "backends: [{ name: v1, port: 80 }]";
  const routes = `    routes:
      - { namespace: a-b, name: c, ${backends} }
      - { namespace: a, name: b-c, ${backends} }
`;
  const { exitCode, begun } = await run(/ {4}routes:\n.*$/s, routes);
  expect(exitCode).toBe(0);
  const made = begun.filter((name) => name.includes("b") && name.endsWith("c"));
  expect(new Set(made).size).toBe(2);
});
