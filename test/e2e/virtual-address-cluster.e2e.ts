import { afterAll, beforeAll, expect, test } from "vitest";
import { virtualAddressProof } from "../../verify/proofs/virtual-address.ts";
import { type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { writeStackFile } from "../lab/stack.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, proveProduct, saveKubeconfig } from "../lab/verification/verify.ts";
import { bringUp, takeDown } from "./bring-up.ts";
import { describeMoves } from "./moves.ts";
import { expectWhole, type Identity, identity, slowEtcd } from "./stacked.ts";
import { timed } from "./timed.ts";
import { unchanged } from "./unchanged.ts";

// As virtual-address.e2e.ts, but of a cluster: with real API servers and a real etcd.

const address = "10.10.0.10";
const planes = ["cp-1", "cp-2", "cp-3"];
const workers = ["worker-1"];
const minutes = 60_000;
let engine: Engine;
let lab: Lab;
let born: Identity;

beforeAll(async () => {
  await infrastructure.down();
  await forgetState();
  const made = await bringUp({ hosts: [...planes, ...workers] }, (facts) =>
    writeStackFile(facts, (config) => {
      slowEtcd(config);
      config.cluster = { ...config.cluster, endpoint: { virtualAddress: { address } } };
    }),
  );
  engine = made.engine;
  lab = labOf(made.facts, engine);
}, 80 * minutes);

afterAll(takeDown, 2 * minutes);

test("three control planes and a worker, whose API has an address of its own", {
  timeout: 30 * minutes,
}, async () => {
  await timed("3+1 with a virtual address, from nothing", engine.up());
  await saveKubeconfig(engine);
  born = await identity(lab);
  await whole();
  const server = ["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"];
  expect(await lab.kubectl(...server)).toBe(`https://${address}:6443`);
  expect(await engine.up()).toMatchObject(unchanged);
});

describeMoves({ current: () => lab, address, planes });

test(
  "after all of it the cluster is whole, and the address proved",
  {
    timeout: 10 * minutes,
  },
  whole,
);

async function whole(): Promise<void> {
  await expectWhole(lab, planes, workers, born);
  const [row] = await proveProduct(lab.facts, [virtualAddressProof]);
  expect(row).toMatchObject({ verdict: "pass" });
}
