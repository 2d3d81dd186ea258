import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressPoolsProof } from "../../verify/proofs/address-pools.ts";
import { bgpProof } from "../../verify/proofs/bgp.ts";
import { l2AnnouncementsProof } from "../../verify/proofs/l2-announcements.ts";
import { chooseEngine, type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { routersNeighbours, startRouter } from "../lab/router.ts";
import { segment } from "../lab/segment.ts";
import { inNamespace } from "../lab/shell.ts";
import { hasDatapath, removeStackFile, writeStackFile } from "../lab/stack.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, proveProduct, saveKubeconfig } from "../lab/verification/verify.ts";

const minutes = 60_000;
let facts: infrastructure.LabFacts;
let engine: Engine;
let lab: Lab;

const systems = { own: 64_500, hosts: 64_512 };

/** Addresses for services on the VLAN, a router that does not answer yet, a namespace of a tenant. */
const withServices: Overrides = (config) => {
  config.cilium = {
    ...config.cilium,
    loadBalancerIPPools: [
      {
        name: "public",
        blocks: [
          { start: "10.10.0.240", stop: "10.10.0.249" },
          { start: "fd00:10:10::240", stop: "fd00:10:10::249" },
        ],
      },
    ],
    l2announcements: { enabled: true },
    bgpControlPlane: {
      enabled: true,
      localASN: systems.hosts,
      peers: [
        {
          ...{ name: "router", peerASN: systems.own, peerAddress: segment.address },
          connectRetryTimeSeconds: 5,
        },
      ],
    },
  };
  config.policies = {
    defaultDeny: ["shop"],
    networkPolicies: [
      {
        name: "front",
        namespace: "shop",
        endpointSelector: { matchLabels: { app: "front" } },
        ingress: [{ fromEntities: ["world"], toPorts: [{ ports: [{ port: 8080 }] }] }],
        egress: [{ toFQDNs: [{ matchName: "api.example.no" }] }],
      },
    ],
  };
};

beforeAll(async () => {
  facts = await infrastructure.up({ hosts: ["cp-1", "worker-1"] });
  if (!hasDatapath(facts)) return;
  writeStackFile(facts, withServices);
  engine = await chooseEngine(facts);
  lab = labOf(facts, engine);
}, 80 * minutes);

afterAll(async () => {
  await infrastructure.down();
  await forgetState();
  removeStackFile();
}, 2 * minutes);

describe("services with addresses, and policies", () => {
  test("stand after one up, and a second changes nothing", {
    timeout: 20 * minutes,
  }, async (context) => {
    context.skip(!hasDatapath(facts), "OSLO_LAB_IMAGES names no folder with Cilium's images");
    await engine.up();
    await saveKubeconfig(engine);
    expect(await engine.up()).toMatchObject({ create: 0, update: 0, replace: 0, delete: 0 });
  });

  test("have the flows of all nodes at the relay", {
    timeout: 5 * minutes,
  }, async (context) => {
    const there = facts.imagesAvailable.some((name) => name.includes("cilium/hubble-relay:"));
    context.skip(!there, "no image hubble-relay in the folder of OSLO_LAB_IMAGES");
    const relay = ["rollout", "status", "deployment/hubble-relay", "--timeout=180s"];
    expect(await lab.kubectl("-n", "kube-system", ...relay)).toContain("successfully rolled out");
  });

  test("who asks the VLAN for a service's address is answered, where policies let it", {
    timeout: 5 * minutes,
  }, async (context) => {
    const image = facts.imagesAvailable.find((name) => name.includes("/netprobe:"));
    context.skip(image === undefined, "no image netprobe in the folder of OSLO_LAB_IMAGES");
    await lab.kubectl("create", "namespace", "open");
    for (const [namespace, app] of targets) await serve(namespace, app, String(image));
    const answers = await Promise.all(targets.map(([, app]) => request(app)));
    expect(answers).toEqual([
      // The client's own address: one announcer, and the backend on its node.
      expect.stringContaining(segment.address),
      expect.stringContaining(segment.address),
      "nothing",
    ]);
    const leases = await lab.kubectl("-n", "kube-system", "get", "leases", "-o", "json");
    const { items } = JSON.parse(leases) as { items: Lease[] };
    const announced = items.filter(({ metadata }) =>
      metadata.name.startsWith("cilium-l2announce-"),
    );
    expect(announced.map(({ spec }) => spec.holderIdentity)).toEqual(targets.map(() => "worker-1"));
  });

  // After the leases are counted: an agent keeps that of a service which is gone for a minute.
  test("are proven: addresses of both families, and one node that answers for each", {
    timeout: 5 * minutes,
  }, async (context) => {
    context.skip(!hasDatapath(facts), "OSLO_LAB_IMAGES names no folder with Cilium's images");
    expect(await proveProduct(facts, [addressPoolsProof, l2AnnouncementsProof])).toMatchObject([
      { verdict: "pass", reading: expect.stringMatching(/^public: .*10\.10\.0\.24\d/) },
      {
        verdict: "pass",
        reading: expect.stringMatching(
          /^(?=.*10\.10\.0\.24\d: \S+ \(worker-1\), asked from cp-1)(?=.*fd00:10:10::24\d: \S+ \(worker-1\))/,
        ),
      },
    ]);
  });

  test("a session with a router that does not answer is no session", {
    timeout: 5 * minutes,
  }, async (context) => {
    context.skip(!hasDatapath(facts), "OSLO_LAB_IMAGES names no folder with Cilium's images");
    const silent = / \(10\.10\.0\.1, AS 64500\) is (idle|connect|active)/;
    expect(await proveProduct(facts, [bgpProof])).toMatchObject([
      { verdict: "fail", reading: expect.stringMatching(silent) },
    ]);
  });

  test("a router that answers is told of addresses, by every node", {
    timeout: 10 * minutes,
  }, async (context) => {
    context.skip(!hasDatapath(facts), "OSLO_LAB_IMAGES names no folder with Cilium's images");
    await startRouter(systems);
    expect(await proveProduct(facts, [bgpProof])).toMatchObject([
      {
        verdict: "pass",
        reading: expect.stringMatching(/^2 sessions of 2 nodes established; .*: [1-9]/),
      },
    ]);
    expect((await routersNeighbours()).match(/ 64512 .* Establ /g)).toHaveLength(2);
  });
});

interface Lease {
  metadata: { name: string };
  spec: { holderIdentity: string };
}

/** A pod that nobody restricts, one that its policy opens, one that the namespace's default closes. */
const targets: [namespace: string, app: string][] = [
  ["open", "free"],
  ["shop", "front"],
  ["shop", "closed"],
];
const addressOf: Record<string, string> = {
  free: "10.10.0.241",
  front: "10.10.0.242",
  closed: "10.10.0.243",
};

async function serve(namespace: string, app: string, image: string): Promise<void> {
  const metadata = { name: app, namespace, labels: { app } };
  const container = { name: app, image, imagePullPolicy: "IfNotPresent" };
  await kubectl("apply", [
    {
      ...{ apiVersion: "v1", kind: "Pod", metadata },
      spec: { nodeName: "worker-1", containers: [container] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, annotations: { "lbipam.cilium.io/ips": addressOf[app] } },
      spec: { type: "LoadBalancer", selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ]);
  const ready = ["--for=condition=Ready", "--timeout=120s", `pod/${app}`];
  await lab.kubectl("-n", namespace, "wait", ...ready);
  const address = "--for=jsonpath={.status.loadBalancer.ingress[0].ip}";
  await lab.kubectl("-n", namespace, "wait", `${address}=${addressOf[app]}`, `service/${app}`);
}

/** The answer that a machine on the VLAN gets, tried for a while: the first ARP takes a lease. */
async function request(app: string): Promise<string> {
  const retry = ["--retry", "10", "--retry-all-errors", "--retry-delay", "1", "--max-time", "3"];
  const curl = ["curl", "-sS", "--retry-max-time", "30", ...retry, `http://${addressOf[app]}/`];
  const [file = "", ...args] = inNamespace(facts.netns, curl);
  const { exitCode, stdout } = await execa(file, args, { reject: false });
  return exitCode === 0 ? stdout : "nothing";
}

/** kubectl on the control plane, with objects on its standard input. */
async function kubectl(command: string, objects: readonly object[]): Promise<string> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  const admin = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
  return lab.onHost("cp-1", `${admin} ${command} -f - <<'END'\n${list}\nEND`);
}
