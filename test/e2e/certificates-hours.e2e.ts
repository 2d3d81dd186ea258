import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { writeStackFile } from "../lab/stack.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, saveKubeconfig } from "../lab/verification/verify.ts";
import { describeGap, lasting } from "./api-gap.ts";
import { bringUp, takeDown } from "./bring-up.ts";
import { bound } from "./lost-control-planes.ts";
import { startProbers, stopProbers, worstGap } from "./probers.ts";
import { slowEtcd } from "./stacked.ts";

// A cluster of three control planes whose certificates last an hour lives for hours: OSLO_LAB_HOURS, by default three.

const hours = Number(process.env.OSLO_LAB_HOURS ?? 3);
const hosts = ["cp-1", "cp-2", "cp-3", "worker-1"];
const minutes = 60_000;
let engine: Engine;
let lab: Lab;

const shortLived: Overrides = (config) => {
  slowEtcd(config);
  config.kubernetes = {
    ...config.kubernetes,
    certificates: { validity: "1h", renewBefore: "30m" },
  };
};

beforeAll(async () => {
  await infrastructure.down();
  await forgetState();
  const made = await bringUp({ hosts }, (facts) => writeStackFile(facts, shortLived));
  engine = made.engine;
  lab = labOf(made.facts, engine);
  await engine.up();
  await saveKubeconfig(engine);
}, 80 * minutes);

afterAll(takeDown, 2 * minutes);

/** By node, the serial numbers of its certificates. */
async function serials(): Promise<string[]> {
  const list =
    "for f in /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/etcd/server.crt /var/lib/kubelet/pki/kubelet-server-current.pem /var/lib/kubelet/pki/kubelet-client-current.pem; do [ ! -e $f ] || openssl x509 -noout -serial -in $f; done";
  return Promise.all(hosts.map((host) => lab.onHost(host, list)));
}

test("no gap, and other certificates everywhere", {
  timeout: (hours * 60 + 60) * minutes,
}, async () => {
  const before = await serials();
  // Three API servers behind each node's balancer.
  const clients = ["cp-1", "worker-1"];
  onTestFinished(() => stopProbers(lab, clients));
  await startProbers(lab, clients);
  const from = Date.now() / 1000;
  const until = Date.now() + hours * 60 * minutes;
  const failures: string[] = [];
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, minutes));
    // The API server asks a kubelet, whose certificate it verifies.
    for (const host of hosts) {
      const answer = await lab
        .kubectl("get", "--raw", `/api/v1/nodes/${host}/proxy/healthz`)
        .catch((error: Error) => error.message);
      if (answer.trim() !== "ok") failures.push(`${new Date().toISOString()} ${host}: ${answer}`);
    }
  }
  for (const kind of ["read", "write"] as const) {
    const gap = worstGap(clients, kind, from, Date.now() / 1000);
    console.log(
      `${hours} h with certificates of one hour: longest without a ${kind}: ${describeGap(gap)}`,
    );
    expect.soft(lasting(gap)).toBeLessThanOrEqual(bound);
  }
  expect(failures).toEqual([]);
  const after = await serials();
  for (const [i, one] of after.entries()) {
    for (const serial of one.trim().split("\n")) expect(before[i]).not.toContain(serial);
  }
});
