import type { Config, GuestConfig, NodeConfig } from "../config/config.ts";
import type { AppliedDirective } from "./directive.ts";
import { effect, type StepEffects } from "./effect.ts";
import { neighbours } from "./neighbours.ts";
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

/** What a machine must show towards its neighbours: one L2 domain, round trip, path MTU in every family, clocks. */
export function peersGate({ gates, network, nodes }: Part, node: NodeConfig): StepDocument {
  const peers = neighbours(nodes, node);
  return step("gate-peers", {
    INTERFACE: network.vlan.interface,
    GATEWAYS: network.vlan.gateways.join(" "),
    PEERS: peers.flatMap((peer) => peer.addresses.map((a) => `${peer.name}=${a}`)).join(" "),
    MTU: network.mtu,
    RTT_MILLISECONDS: gates.nodeRttMilliseconds,
    CLOCK_SKEW_SECONDS: gates.clockSkewSeconds,
  });
}

/**
 * What a virtual machine must show of what was asked for it: queues of its network card, memory
 * without a balloon, softirq that is no single CPU's.
 */
export function guestGate(
  { gates, network }: Pick<Config, "gates" | "network">,
  { queues, vcpus, memoryMebibytes }: Pick<GuestConfig, "queues" | "vcpus" | "memoryMebibytes">,
): StepDocument {
  return step("gate-guest", {
    INTERFACE: network.vlan.interface,
    QUEUES: queues,
    VCPUS: vcpus,
    MEMORY_MEBIBYTES: memoryMebibytes,
    MEMORY_PERCENT: gates.guestMemoryPercent,
    SOFTIRQ_PERCENT: gates.softirqPercent,
    WINDOW_SECONDS: gates.stealWindowSeconds,
  });
}

/** The articles' claims about machines, as gates. */
export function gateDirectives({
  gates,
  network,
}: Pick<Config, "gates" | "network">): AppliedDirective[] {
  return [
    {
      seed: "001",
      says: "fio … --fdatasync=1 --size=100m --bs=2300: above 10 ms at p99, do not build a cluster there",
      applied: `gate-etcd-disk: p99 ≤ ${gates.etcdFsyncP99Milliseconds} ms`,
      why: "Applied. Read from fio's own percentile of fdatasync, not of completion; in a sub-directory, because kubeadm refuses a directory that fio has left files in.",
    },
    {
      seed: "002",
      says: "CPU steal negligible (< 0.1 %)",
      applied: `gate-host: ≤ ${gates.stealPercent} % over ${gates.stealWindowSeconds} s`,
      why: "Applied as a gate; a window of seconds shows a host that is oversold now, not one that will be.",
    },
    {
      seed: "001",
      says: "ip -d link show eth0 | grep mtu; tracepath for the path MTU",
      applied: `gate-host and gate-peers: ${network.mtu} bytes on the interface and on the path to every peer`,
      why: "Applied with whole packets that may not be fragmented, in each family.",
    },
    {
      seed: "003",
      says: "ip -d link show | grep vxlan",
      applied: "gate-host: no vxlan or geneve device",
      why: "Applied before the build, and at every drift check after it.",
    },
    {
      seed: "002",
      says: "node-to-node latency below a millisecond",
      applied: `gate-peers: mean of ten ≤ ${gates.nodeRttMilliseconds} ms`,
      why: "Applied with room for a busy hypervisor; set it to 1 for the article's own claim.",
    },
    {
      seed: "001",
      says: "2 GB of RAM that are there when needed",
      applied: `gate-host: ≥ ${gates.memoryMebibytes} MiB on a control plane`,
      why: "Applied as to what the machine shows; whether the hypervisor reserves it, a guest cannot see.",
    },
    {
      seed: "001",
      says: "Memory is reserved: pay for 4 GB, get 4 GB dedicated",
      applied: `gate-guest: ≥ ${gates.guestMemoryPercent} % of what was asked for, and no virtio balloon`,
      why: "Applied to machines that the program makes: without a balloon the hypervisor cannot take memory back.",
    },
    {
      seed: "002",
      says: "virtio-net with multi-queue, or the CNI is bottlenecked by a single vCPU interrupt",
      applied: "gate-guest: the queues that were asked for, one in use per CPU",
      why: "Applied to machines that the program makes. The driver uses one queue per CPU; what is there beyond that is for XDP.",
    },
    {
      seed: "000",
      says: "mpstat -P ALL 1: one core pinned at 100 % SI is the CNI's bottleneck",
      applied: `gate-guest: no CPU above ${gates.softirqPercent} % softirq while another idles, over ${gates.stealWindowSeconds} s`,
      why: "Applied to machines that the program makes; read from mpstat's JSON.",
    },
    {
      seed: "all",
      says: "autoDirectNodeRoutes: true, on one L2 network",
      applied: `gate-peers: every peer answers ARP or neighbour discovery on ${network.vlan.interface} itself, with a MAC address of its own`,
      why: "Applied: a router or a proxy between two nodes would drop packets to pods.",
    },
  ];
}

/** Measured again, on every node, before anything is applied. */
export const gateEffects: StepEffects = {
  again: effect("check", "measured again; `up` stops before it changes anything where it fails"),
};
