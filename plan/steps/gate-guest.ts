import { measured } from "../effect.ts";
import { defineStep } from "../step.ts";

/**
 * What a virtual machine must show of what was asked for it: queues of its network card, memory
 * without a balloon, softirq that is no single CPU's.
 */
export const gateGuest = defineStep({
  name: "gate-guest",
  resource: "claim",
  on: (_, { guest }) => guest !== undefined,
  document({ gates, network }, { guest }) {
    if (guest === undefined) return {};
    return {
      vars: {
        INTERFACE: network.vlan.interface,
        QUEUES: guest.queues,
        VCPUS: guest.vcpus,
        MEMORY_MEBIBYTES: guest.memoryMebibytes,
        MEMORY_PERCENT: gates.guestMemoryPercent,
        SOFTIRQ_PERCENT: gates.softirqPercent,
        WINDOW_SECONDS: gates.stealWindowSeconds,
      },
    };
  },
  effects: measured,
  directives: ({ gates }) => [
    {
      article: "001",
      says: "Memory is reserved: pay for 4 GB, get 4 GB dedicated",
      applied: `gate-guest: ≥ ${gates.guestMemoryPercent} % of what was asked for, and no virtio balloon`,
      why: "Applied to machines that the program makes: without a balloon the hypervisor cannot take memory back.",
    },
    {
      article: "002",
      says: "virtio-net with multi-queue, or the CNI is bottlenecked by a single vCPU interrupt",
      applied: "gate-guest: the queues that were asked for, one in use per CPU",
      why: "Applied to machines that the program makes. The driver uses one queue per CPU; what is there beyond that is for XDP.",
    },
    {
      article: "000",
      says: "mpstat -P ALL 1: one core pinned at 100 % SI is the CNI's bottleneck",
      applied: `gate-guest: no CPU above ${gates.softirqPercent} % softirq while another idles, over ${gates.stealWindowSeconds} s`,
      why: "Applied to machines that the program makes; read from mpstat's JSON.",
    },
  ],
});
