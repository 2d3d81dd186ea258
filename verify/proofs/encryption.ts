import { wireGuardPort } from "../../config/ports.ts";
import type { Cluster } from "../cluster.ts";
import { captureScript, packets, readScript } from "../probe/capture.ts";
import { inPod, type Probe, peerOf, probeOn, probes } from "../probe/pods.ts";
import { expectNothing, notEnabled, notProved, type Proof } from "../proof.ts";

export const encryptionProof: Proof = {
  promise: "What pods say to pods on other nodes is encrypted, where that was asked for",
  proof: `a capture on the wire of each node while a pod there is pinged from the one before: WireGuard's packets (UDP ${wireGuardPort}), and none with a pod's address`,
  fix: "compare cilium.encryption with `cilium-dbg encrypt status` in the agent of the node that is named",
  limitSeconds: 110,
  async prove(cluster) {
    const { encryption } = cluster.plan.cilium.values as {
      encryption?: { enabled?: boolean; type?: string };
    };
    if (encryption?.enabled !== true) return notEnabled("cilium.encryption is not asked for");
    if (encryption.type !== "wireguard") return notProved(`encryption is ${encryption.type}`);
    if (cluster.nodes.length < 2) return notProved("the cluster has one node");
    const all = await probes(cluster);
    const faults = await Promise.all(
      cluster.nodes.map((node) => onTheWire(cluster, all, node, peerOf(cluster.nodes, node))),
    );
    return expectNothing(
      faults.flat(),
      `${cluster.nodes.length} pairs of nodes: UDP ${wireGuardPort} alone on the wire`,
    );
  },
};

async function onTheWire(
  cluster: Cluster,
  all: readonly Probe[],
  from: string,
  to: string,
): Promise<string[]> {
  const { addresses } = probeOn(all, to);
  const senders = probeOn(all, from).addresses;
  const name = "capture-encryption";
  // The two pods alone: what a client outside says to a pod comes in as it was sent.
  const pods = addresses
    .map((address, i) => `(host ${address} and host ${senders[i]})`)
    .join(" or ");
  const device = cluster.config.network.vlan.interface;
  await cluster.onNode(to, captureScript(name, device, `udp port ${wireGuardPort} or ${pods}`));
  const pings = addresses.map((address) => `inpod ping -n -q -c 2 -i 0.2 -w 6 ${address}`);
  const silent = await cluster.onNode(
    from,
    `${inPod}${pings.map((ping) => `${ping} >/dev/null 2>&1 || echo silent`).join("\n")}`,
  );
  const seen = packets(await cluster.onNode(to, readScript(name)));
  const path = `${from} → ${to}`;
  const plain = seen.filter((line) => addresses.some((address) => line.includes(` ${address}`)));
  return [
    ...(silent === "" ? [] : [`${path}: no answer to ping`]),
    ...(plain.length > 0 ? [`${path}: ${plain.length} packets of pods in the clear`] : []),
    ...(seen.some((line) => line.includes(`.${wireGuardPort}`))
      ? []
      : [`${path}: no packet of WireGuard`]),
  ];
}
