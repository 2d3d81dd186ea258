import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { hostKey } from "../host-key.ts";
import { chooseEngine, type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { writeStackFile } from "../lab/stack.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, saveKubeconfig } from "../lab/verification/verify.ts";
import { describeGap, lasting } from "./api-gap.ts";
import { takeDown } from "./bring-up.ts";
import { describeKills } from "./kills.ts";
import { bound, command, describeLosses } from "./lost-control-planes.ts";
import { startProbers, stopProbers, worstGap } from "./probers.ts";
import {
  expectWhole,
  type Identity,
  identity,
  inLibrary,
  members,
  nodesReady,
  slowEtcd,
  voters,
} from "./stacked.ts";
import { timed } from "./timed.ts";
import { unchanged } from "./unchanged.ts";

const planes = ["cp-1", "cp-2", "cp-3"];
const workers = ["worker-1", "worker-2"];
const minutes = 60_000;
let facts: infrastructure.LabFacts;
let engine: Engine;
let lab: Lab;
let born: Identity;

const with1: Overrides = (config) => {
  slowEtcd(config);
  config.nodes.existing = config.nodes.existing?.filter(
    ({ name }) => name === "cp-1" || workers.includes(name),
  );
};

beforeAll(async () => {
  await infrastructure.down();
  await forgetState();
  facts = await infrastructure.up({ hosts: [...planes, ...workers] });
  await use(slowEtcd);
}, 80 * minutes);

afterAll(takeDown, 2 * minutes);

async function use(vary: Overrides): Promise<void> {
  writeStackFile(facts, vary);
  engine = await chooseEngine(facts);
  lab = labOf(facts, engine);
}

describe("from nothing", () => {
  test("three control planes and two workers", { timeout: 30 * minutes }, async () => {
    await timed("3+2 from nothing", engine.up());
    await saveKubeconfig(engine);
    await nodesReady(lab, [...planes, ...workers]);
    for (const plane of planes) expect(await members(lab, plane)).toEqual(voters(planes));
    born = await identity(lab);
    await lab.kubectl(
      "-n",
      "kube-system",
      "create",
      "secret",
      "generic",
      "canary",
      "--from-literal=a=b",
    );
  });

  test("the keys that joins need are in no state", async () => {
    const state = await engine.exportedState();
    // The CA's certificate is there, in base64; no other PEM is.
    expect(state).not.toMatch(/SHARED|PRIVATE KEY|LS0tLS1CRUdJTi(?!BDRVJUSUZJQ0FURS)/);
  });

  test("no member could found a cluster of its own", async () => {
    for (const plane of planes) {
      const manifest = await lab.onHost(plane, "cat /etc/kubernetes/manifests/etcd.yaml");
      expect(manifest).toContain("--initial-cluster-state=existing");
    }
  });

  test("a second up changes nothing", { timeout: 10 * minutes }, async () => {
    expect(await engine.up()).toMatchObject(unchanged);
  });
});

describeLosses({
  current: () => ({ engine, lab }),
  whole,
  clients: ["cp-1", ...workers],
  lost: ["cp-3", "cp-2"],
});

describe("a control plane is replaced by name", () => {
  test.for([
    ["cp-3", "dead"],
    ["cp-2", "alive"],
    ["cp-1", "dead"],
  ] as const)(
    "%s, which its provider re-created while it was %s",
    { timeout: 20 * minutes },
    async ([plane, state]) => {
      if (state === "dead") await infrastructure.stopHost(plane);
      await rebuild(plane);
      await timed(`${plane} replaced`, engine.up());
      await whole();
      expect(await engine.up()).toMatchObject(unchanged);
    },
  );

  test("two at once are refused by the program; by the nodes too: one may have left, no more, and the next up is whole", {
    timeout: 20 * minutes,
  }, async () => {
    await use((config) => {
      slowEtcd(config);
      for (const node of config.nodes.existing ?? [])
        if (["cp-2", "cp-3"].includes(node.name))
          node.ssh = { ...node.ssh, hostKey: hostKey(node.name) };
    });
    await expect(engine.preview()).rejects.toThrow(/2 of 3 control planes are re-created at once/);
    await expect(engine.up()).rejects.toThrow(/2 of 3 control planes are re-created at once/);
    expect(await members(lab, "cp-1")).toEqual(voters(planes));
    // As if they were gone for good, which is not so.
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("OSLO_CLUSTER_ABANDON", "cp-2,cp-3");
    await expect(engine.up()).rejects.toThrow(/is not taken out while .* replace one at a time/);
    vi.unstubAllEnvs();
    const left = await members(lab, "cp-1");
    expect(left.filter((line) => line.endsWith(" voter")).length).toBeGreaterThanOrEqual(2);
    expect(left.filter((line) => line.endsWith(" learner"))).toEqual([]);
    await use(slowEtcd);
    await engine.up();
    await whole();
    expect(await engine.up()).toMatchObject(unchanged);
  });

  test("one that etcd has let go, and whose change was taken back, is replaced in place", {
    timeout: 20 * minutes,
  }, async () => {
    // A leave that was cut short there; the former value again is no change for the program.
    await lab.onHost("cp-1", inLibrary("etcd_remove cp-3"));
    expect(await engine.up()).toMatchObject(unchanged);
    expect(await command(facts, "drift")).toContain("etcd has let cp-3 go. Replace");
    await timed("cp-3 replaced in place", engine.up({ replace: ["cp-3-identity"] }));
    await whole();
    expect(await engine.up()).toMatchObject(unchanged);
  });
});

describe("shrinking and growing", () => {
  test("from three to one and back under load, the cluster as it was", {
    timeout: 30 * minutes,
  }, async () => {
    const probers = ["cp-1", ...workers];
    onTestFinished(() => stopProbers(lab, probers));
    await startProbers(lab, probers);
    const from = Date.now() / 1000;
    await use(with1);
    await timed("3 to 1", engine.up());
    expect(await members(lab, "cp-1")).toEqual(voters(["cp-1"]));
    await nodesReady(lab, ["cp-1", ...workers]);
    await use(slowEtcd);
    await timed("1 to 3", engine.up());
    const until = Date.now() / 1000;
    for (const kind of ["read", "write"] as const) {
      const gap = worstGap(probers, kind, from, until);
      console.log(`3 to 1 to 3: longest without a ${kind}: ${describeGap(gap)}`);
      expect(lasting(gap)).toBeLessThanOrEqual(2 * bound);
    }
    await whole();
    expect(await engine.up()).toMatchObject(unchanged);
  });
});

let next = 0;
describeKills({
  what: "one replacement",
  current: () => engine,
  hosts: [...planes, ...workers],
  // Another one each time that it was over before its kill.
  // None of a cluster that lacks one already: its data would be gone.
  again: async () => {
    await whole();
    await rebuild(planes[next++ % planes.length] as string);
  },
  lines: 8,
});

test("after all of it the cluster is whole", { timeout: 5 * minutes }, whole);

/** A machine as its provider has built it again, and the stack's file with its key. */
async function rebuild(plane: string): Promise<void> {
  await infrastructure.rebuildHost(plane);
  facts = await infrastructure.up({ hosts: [...planes, ...workers] });
  await use(slowEtcd);
}

/** Five nodes, three voters, nobody else; who the cluster is, and what it holds. */
async function whole(): Promise<void> {
  // It pins the control planes' host keys: one by one they get others here.
  await saveKubeconfig(engine);
  await expectWhole(lab, planes, workers, born);
  const canary = ["get", "secret", "canary", "-o", "jsonpath={.data.a}"];
  expect(await lab.kubectl("-n", "kube-system", ...canary)).toBe("Yg==");
}
