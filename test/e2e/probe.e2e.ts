import { execa, type ResultPromise } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { probeScript } from "../../components/cluster/datapath.ts";
import { loadStackFile } from "../../config/load.ts";
import type { ConfigInput } from "../../config/schema.ts";
import { allowedMode, type DatapathReading } from "../../plan/datapath-probe.ts";
import { type ClusterPlan, type NodePlan, plan } from "../../plan/plan.ts";
import { renderStep } from "../../plan/step.ts";
import { claimScript } from "../../steps/bundle.ts";
import { nodeReach } from "../../steps/ssh/target.ts";
import { labEnvironment } from "../lab/engine.ts";
import { hostNamed } from "../lab/facts.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { filterPort, type PortFilter } from "../lab/segment.ts";
import { inNamespace, waitFor } from "../lab/shell.ts";
import { removeStackFile, writeStackFile } from "../lab/stack.ts";

// A lab of its own, beside what else runs.
vi.hoisted(() => {
  process.env.OSLO_LAB_NAME = `oslo-probe-${process.pid}`;
});

const minutes = 60_000;
const names = ["cp-1", "worker-1", "worker-2"];
let facts: infrastructure.LabFacts;
let cluster: ClusterPlan;

// Machines as they are before the probe: claimed, with the distribution's packages and their kernel set.
beforeAll(async () => {
  facts = await infrastructure.up({ hosts: names });
  cluster = planWith();
  await Promise.all(
    cluster.nodes.map(async (node) => {
      await onNode(node, `bash -s -- ${cluster.name} ${node.name}`, claimScript());
      for (const step of ["prerequisites", "kernel"] as const) await runStep(node, step);
    }),
  );
}, 80 * minutes);

afterEach(async () => {
  for (const name of names) await filter(name, undefined);
});

afterAll(async () => {
  await infrastructure.down();
  removeStackFile();
}, 2 * minutes);

describe("the data path is proven before Cilium", { timeout: 20 * minutes }, () => {
  test("between three nodes, each way, in both families", async () => {
    const { exitCode, stderr, reading } = await probe();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(Object.keys(reading)).toHaveLength(6);
    const whole = { plain: true, podSource: true, option: true, nodeSource: true };
    for (const families of Object.values(reading)) {
      expect(families).toEqual({ ipv4: whole, ipv6: whole });
    }
    expect(allowedMode("dsr", reading)).toBe("dsr");
  });

  test.for<[PortFilter, string[]]>([
    ["IP options", ["a packet with Cilium's IP option 0x9a was dropped;"]],
    [
      "foreign sources",
      [
        "a packet from a pod's address (10.244.255.254) was dropped;",
        "a packet from a third node's address",
      ],
    ],
    ["other hosts' addresses", ["a packet from a third node's address"]],
  ])("a port that drops %s is refused, by sender, receiver and packet", async ([drops, lost]) => {
    await filter("worker-1", drops);
    const { exitCode, stderr } = await probe();
    expect(exitCode).toBe(1);
    const refusals = ["cp-1", "worker-2"].flatMap((receiver) =>
      lost.map((what) => expect.stringContaining(`error: worker-1 -> ${receiver} (IPv4): ${what}`)),
    );
    expect(stderr.trim().split("\n").sort()).toEqual(refusals);
  });

  test.for<PortFilter>(["IP options", "other hosts' addresses"])(
    "a port that drops %s leaves snat, where that is the fallback",
    async (drops) => {
      await filter("worker-1", drops);
      const { exitCode, stderr, reading } = await probe({ fallback: "snat" });
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(/^snat is taken: worker-1 -> cp-1 \(IPv4\): /m);
      expect(allowedMode("dsr", reading)).toBe("snat");
    },
  );

  test("snat itself does without option and foreign nodes, not without pods", async () => {
    await filter("worker-1", "IP options");
    expect(await probe({ mode: "snat" })).toMatchObject({ exitCode: 0, stderr: "" });
    await filter("worker-1", "foreign sources");
    const { exitCode, stderr } = await probe({ mode: "snat", fallback: "snat" });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("worker-1 -> worker-2 (IPv4): a packet from a pod's address");
  });

  test("a node's own rp_filter is distinguished", async () => {
    const [receiver] = cluster.nodes as [NodePlan];
    const set = "sysctl -qw net.ipv4.conf.eth0.rp_filter";
    // With a default route there the filter would take pods' addresses for the world's.
    await onNode(receiver, `${set}=1; ip route delete default`);
    const { exitCode, stderr } = await probe();
    await onNode(receiver, `${set}=0; ip route add default via 10.10.0.1`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("rp_filter on cp-1 is 1 instead of 0");
    expect(stderr).not.toMatch(/-> worker-/);
  });

  test("killed half way, it ends on every node, and runs again", async () => {
    await filter("worker-1", "IP options"); // or it would be over too soon
    const running = start({});
    await waitFor("the probe to run on every node", 60, async () =>
      (await units()).every((state) => state === "active"),
    );
    running.kill("SIGKILL");
    await running;
    await waitFor("it to end on every node", 60, async () =>
      (await units()).every((state) => state === "inactive"),
    );
    for (const node of cluster.nodes) {
      expect(await onNode(node, "pgrep -a socat || nft list tables inet")).toBe("");
    }
    await filter("worker-1", undefined);
    expect(await probe()).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("a node that is down is named, and the others do not wait for it", async () => {
    await infrastructure.stopHost("worker-2");
    const { exitCode, stderr } = await probe();
    await infrastructure.startHost("worker-2");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("worker-2 does not answer by SSH");
  });
});

test("every peer answers for itself on the VLAN", { timeout: 10 * minutes }, async () => {
  const [node] = cluster.nodes as [NodePlan];
  const reading = JSON.parse(await runStep(node, "gate-peers"));
  expect(Object.keys(reading)).toHaveLength(4);
  expect(reading["worker-1=10.10.0.12"]).toMatchObject({ mac: "52:54:00:10:00:0c" });
  expect(reading["worker-1=fd00:10:10::12"]).toMatchObject({ mac: "52:54:00:10:00:0c" });
  expect(reading["worker-2=10.10.0.13"].arpMilliseconds).toBeGreaterThan(0);
});

type LoadBalancer = NonNullable<NonNullable<ConfigInput["cilium"]>["loadBalancer"]>;

function planWith(loadBalancer: LoadBalancer = {}): ClusterPlan {
  const file = writeStackFile(facts, (config) => {
    config.cilium = {
      ...config.cilium,
      loadBalancer: { ...config.cilium?.loadBalancer, ...loadBalancer },
    };
  });
  return plan(loadStackFile(file));
}

/** The operator's side, as the program starts it. */
function start(loadBalancer: LoadBalancer): ResultPromise<{ reject: false }> {
  const { probe, ...rest } = planWith(loadBalancer);
  const reaches = rest.nodes.map((node) => nodeReach(rest, node));
  const [command = "", ...args] = inNamespace(facts.netns, ["/bin/sh", "-c", "exec sh -s"]);
  return execa(command, args, {
    input: probeScript(probe?.documents ?? {}, reaches),
    env: labEnvironment(facts),
    reject: false,
  });
}

async function probe(loadBalancer: LoadBalancer = {}) {
  const { exitCode, stdout, stderr } = await start(loadBalancer);
  const reading = JSON.parse(String(stdout) || "{}") as DatapathReading;
  return { exitCode, stderr: String(stderr), reading };
}

async function filter(name: string, drops: PortFilter | undefined): Promise<void> {
  await filterPort(hostNamed(facts, name), drops);
}

async function units(): Promise<string[]> {
  const state = "systemctl is-active oslo-step-probe.service || true";
  return Promise.all(cluster.nodes.map(async (node) => (await onNode(node, state)).trim()));
}

async function runStep(node: NodePlan, step: string): Promise<string> {
  const document = node.steps[step];
  if (document === undefined) throw new Error(`${node.name} has no step ${step}`);
  return onNode(node, `/usr/local/lib/oslo-cluster/oslo-step run ${step}`, renderStep(document));
}

async function onNode(node: NodePlan, remote: string, input = ""): Promise<string> {
  const ssh = ["ssh", ...nodeReach(cluster, node).sshArguments, remote];
  const [command = "", ...args] = inNamespace(facts.netns, ssh);
  const { stdout } = await execa(command, args, { input, env: labEnvironment(facts) });
  return stdout;
}
