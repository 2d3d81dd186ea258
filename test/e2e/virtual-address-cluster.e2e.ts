import { expect, test } from "vitest";
import { virtualAddressProof } from "../../verify/proofs/virtual-address.ts";
import { proveProduct } from "../lab/verification/verify.ts";
import { describeMoves } from "./moves.ts";
import { slowEtcd } from "./stacked.ts";
import { planes, stackedLab } from "./stacked-lab.ts";
import { unchanged } from "./unchanged.ts";

// As virtual-address.e2e.ts, but of a cluster: with real API servers and a real etcd.

const address = "10.10.0.10";
const minutes = 60_000;
const stacked = stackedLab((config) => {
  slowEtcd(config);
  config.cluster = { ...config.cluster, endpoint: { virtualAddress: { address } } };
});

test("three control planes and a worker, whose API has an address of its own", {
  timeout: 30 * minutes,
}, async () => {
  await stacked.begin("3+1 with a virtual address, from nothing");
  await whole();
  const { engine, lab } = stacked.current();
  const server = ["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"];
  expect(await lab.kubectl(...server)).toBe(`https://${address}:6443`);
  expect(await engine.up()).toMatchObject(unchanged);
});

describeMoves({ current: () => stacked.current().lab, address, planes });

test(
  "after all of it the cluster is whole, and the address proved",
  {
    timeout: 10 * minutes,
  },
  whole,
);

async function whole(): Promise<void> {
  await stacked.whole();
  const [row] = await proveProduct(stacked.current().lab.facts, [virtualAddressProof]);
  expect(row).toMatchObject({ verdict: "pass" });
}
