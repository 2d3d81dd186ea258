import type { Config, NodeConfig } from "../config/config.ts";
import { type StepDocument, step } from "./step.ts";

type Part = Pick<Config, "gates" | "network" | "nodes">;

/** What one machine must show: CPU, memory, disk, interface, no overlay device, little steal. */
export function hostGate({ gates, network }: Part, node: NodeConfig): StepDocument {
  const isControlPlane = node.role === "control-plane";
  return step("gate-host", {
    INTERFACE: network.vlan.interface,
    ADDRESSES: node.addresses.join(" "),
    MTU: network.mtu,
    STEAL_PERCENT: gates.stealPercent,
    STEAL_WINDOW_SECONDS: gates.stealWindowSeconds,
    DISK_FREE_PERCENT: gates.diskFreePercent,
    MEMORY_MEBIBYTES: isControlPlane ? gates.memoryMebibytes : 0,
    CPUS: isControlPlane ? gates.cpus : 1,
  });
}

/**
 * etcd's disk. fio in etcd's own pattern, in a directory beside etcd's data, which kubeadm wants empty.
 * Source: etcd's documentation, "Hardware recommendations"; the articles' own command line.
 */
export function etcdDiskGate({ gates }: Part): StepDocument {
  return step("gate-etcd-disk", {
    DIRECTORY: "/var/lib/etcd",
    FIO: "--rw=write --ioengine=sync --fdatasync=1 --size=100m --bs=2300 --name=etcd_benchmark",
    P99_MILLISECONDS: gates.etcdFsyncP99Milliseconds,
  });
}

/** What a machine must show towards each other node: round trip, path MTU in every family, clocks. */
export function peersGate({ gates, network, nodes }: Part, node: NodeConfig): StepDocument {
  const peers = nodes.filter((other) => other.name !== node.name);
  return step("gate-peers", {
    PEERS: peers.flatMap((peer) => peer.addresses.map((a) => `${peer.name}=${a}`)).join(" "),
    MTU: network.mtu,
    RTT_MILLISECONDS: gates.nodeRttMilliseconds,
    CLOCK_SKEW_SECONDS: gates.clockSkewSeconds,
  });
}
