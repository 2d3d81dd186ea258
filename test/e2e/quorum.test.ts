import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { largeStack } from "../bench/large-stack.ts";
import { clusterSandbox, stack } from "../bench/sandbox.ts";
import { hostKey } from "../host-key.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { failureOf } from "./engine/sandbox.ts";
import { unchanged } from "./unchanged.ts";

// What a change of the control planes is held against, by Pulumi's engine with plugins that answer at once.

const seconds = 1000;
let box: ReturnType<typeof clusterSandbox>;
let applied: string;

/** A cluster whose control planes have these host keys, by number, and one worker. */
function configure(keys: Record<number, string>): void {
  const node = (name: string, role: string, number: number, key: string) => ({
    ...{ name, role, addresses: [`10.10.1.${number}`], ssh: { hostKey: hostKey(key) } },
  });
  const planes = Object.entries(keys).map(([number, key]) =>
    node(`cp-${number}`, "control-plane", Number(number), key),
  );
  const existing = [...planes, node("worker-1", "worker", 9, "worker")];
  box.configure({ ...largeStack(1), nodes: { existing } });
}

const three = { 1: "a", 2: "b", 3: "c" };
const up = () => box.stacks.up(stack);
const preview = () => box.stacks.preview(stack, "--json");

/** By URN, as they were made. */
function resourcesOf(state: string): string[] {
  const { deployment } = JSON.parse(state) as {
    deployment: { resources: { urn: string; created?: string }[] };
  };
  return deployment.resources.map(({ urn, created }) => `${urn} ${created}`).sort();
}

beforeAll(
  async () => {
    box = clusterSandbox([await makePulumi()]);
    await box.stacks.create(stack);
    configure(three);
    await preview();
    await up();
    applied = await box.stacks.exportedState(stack);
  },
  30 * 60 * seconds,
);
afterAll(() => box[Symbol.dispose]());
afterEach(() => void vi.unstubAllEnvs());

describe("control planes, held against those of the last up", { timeout: 1800 * seconds }, () => {
  test("are an output, and nothing changes by being read", async () => {
    const { controlPlanes } = await box.stacks.outputs(stack);
    expect(controlPlanes).toEqual({
      "cp-1": hostKey("a"),
      "cp-2": hostKey("b"),
      "cp-3": hostKey("c"),
    });
    expect(await up()).toMatchObject(unchanged);
  });

  test("are refused where none of them stays, by the preview and by up, and nothing is touched", async () => {
    configure({ 4: "x", 5: "y", 6: "z" });
    for (const operation of [preview, up]) {
      const said = await failureOf(operation());
      expect(said).toMatch(
        /error: Pulumi\.large\.yaml: nodes: cp-1, cp-2, cp-3: every control plane is removed/,
      );
      expect(said).toContain("OSLO_CLUSTER_ABANDON=cp-1,cp-2,cp-3");
    }
    expect(resourcesOf(await box.stacks.exportedState(stack))).toEqual(resourcesOf(applied));
  });

  test("are refused where two are re-created at once", async () => {
    configure({ 1: "a", 2: "x", 3: "y" });
    expect(await failureOf(preview())).toMatch(/cp-2, cp-3: 2 of 3 control planes.*one at a time/);
  });

  test("may leave in one change: one after the other", async () => {
    configure({ 1: "a" });
    await preview();
  });

  test("that are gone for good count for nothing", async () => {
    configure({ 1: "a", 2: "x", 3: "y" });
    vi.stubEnv("OSLO_CLUSTER_ABANDON", "cp-2,cp-3");
    await preview();
  });

  test("may all be new machines where a cluster is restored", async () => {
    configure({ 1: "x", 2: "y", 3: "z" });
    vi.stubEnv("OSLO_CLUSTER_RESTORE", "yes");
    await preview();
  });

  test("a stack that was destroyed has none", async () => {
    await box.stacks.destroy(stack);
    configure({ 4: "x" });
    await preview();
  });
});
