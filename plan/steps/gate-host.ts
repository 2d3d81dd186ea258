import { measured } from "../effect.ts";
import { defineStep } from "../step.ts";

/** What one machine must show: CPU, memory, disk, interface, no overlay device, little steal. */
export const gateHost = defineStep({
  name: "gate-host",
  resource: "claim",
  // With what every machine has, while packages come: a busy machine shows its hypervisor's steal best.
  beside: true,
  document({ gates, network }, { role, addresses }) {
    const isControlPlane = role === "control-plane";
    return {
      vars: {
        INTERFACE: network.vlan.interface,
        ADDRESSES: addresses.join(" "),
        MTU: network.mtu,
        STEAL_PERCENT: gates.stealPercent,
        STEAL_WINDOW_SECONDS: gates.stealWindowSeconds,
        DISK_FREE_PERCENT: gates.diskFreePercent,
        MEMORY_MEBIBYTES: isControlPlane ? gates.memoryMebibytes : 0,
        CPUS: isControlPlane ? gates.cpus : 1,
      },
    };
  },
  effects: measured,
  directives: ({ gates, network }) => [
    {
      article: "002",
      says: "CPU steal negligible (< 0.1 %)",
      applied: `gate-host: ≤ ${gates.stealPercent} % over ${gates.stealWindowSeconds} s`,
      why: "Applied as a gate; a window of seconds shows a host that is oversold now, not one that will be.",
    },
    {
      article: "001",
      says: "ip -d link show eth0 | grep mtu; tracepath for the path MTU",
      applied: `gate-host and gate-peers: ${network.mtu} bytes on the interface and on the path to every peer`,
      why: "Applied with whole packets that may not be fragmented, in each family.",
    },
    {
      article: "003",
      says: "ip -d link show | grep vxlan",
      applied: "gate-host: no vxlan or geneve device",
      why: "Applied before the build, and at every drift check after it.",
    },
    {
      article: "001",
      says: "2 GB of RAM that are there when needed",
      applied: `gate-host: ≥ ${gates.memoryMebibytes} MiB on a control plane`,
      why: "Applied as to what the machine shows; whether the hypervisor reserves it, a guest cannot see.",
    },
  ],
});
