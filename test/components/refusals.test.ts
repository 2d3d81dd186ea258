import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { hostKey } from "../host-key.ts";
import { stackFiles } from "../stacks.ts";
import { runProgram } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "refusals-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of the example stack with a change of its text. */
function changedStack(from: string | RegExp, to: string): string {
  const text = readFileSync(stackFiles.articles, "utf8");
  const changed = text.replace(from, to);
  if (changed === text && from !== "") throw new Error(`the example holds no ${from}`);
  const file = join(mkdtempSync(join(folder, "run-")), "Pulumi.test.yaml");
  writeFileSync(file, changed);
  return file;
}

/** That stack, run in a process of its own; what began, and what was said. */
async function run(
  from: string | RegExp,
  to: string,
  machineIds: Record<string, string> = {},
  applied: Record<string, unknown> = {},
) {
  const file = changedStack(from, to);
  const program = fileURLToPath(new URL("run-program.ts", import.meta.url));
  const options = { reject: false } as const;
  const args = [program, file, JSON.stringify(machineIds), JSON.stringify(applied)];
  const { exitCode, stdout, stderr } = await execa(process.execPath, args, options);
  return { exitCode, stderr, begun: stdout.split("\n").filter(Boolean) };
}

describe.concurrent("up is refused", () => {
  it("with every error of the configuration, a section that does not exist too, before any resource is registered", async () => {
    const { exitCode, stderr, begun } = await run(
      /^config:\n(.*)- name: worker-2\n( +)role: worker\n +addresses: \[10\.10\.0\.22/ms,
      "config:\n  oslo-cluster:netwrk: {}\n$1- name: worker-1\n$2role: worker\n$2addresses: [10.10.0.21",
    );
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("Pulumi.test.yaml: 3 errors");
    expect(stderr).toMatch(/netwrk: .*no such field/);
    expect(stderr).toContain("nodes.existing[2].name: worker-1: ");
    expect(stderr).toContain("nodes.existing[2].addresses[0]: 10.10.0.21: ");
    expect(begun).toEqual(["oslo-cluster-test"]);
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
  const { resources } = await runProgram(changedStack(/ {4}routes:\n.*$/s, routes));
  const made = resources.map(({ name }) => name);
  expect(new Set(made.filter((name) => name.includes("b") && name.endsWith("c"))).size).toBe(2);
});
