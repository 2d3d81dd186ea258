import type { Machine, Template } from "../../../commands/ephemeral/template.ts";
import { hostKey } from "../../host-key.ts";
import { stack } from "../../stack.ts";

export function machine(number: number): Machine {
  return {
    name: `vps-${number}`,
    addresses: [`10.10.0.${11 + number}`, `fd00:10:10::${11 + number}`],
    ssh: { port: 22, user: "root", hostKey: hostKey(number) },
  };
}

/** Three given machines, of which a cluster takes two. */
export function poolTemplate(changes: Record<string, unknown> = {}, machines = 3): Template {
  return {
    source: "pool.yaml",
    sections: stack({ nodes: undefined, "cluster.name": "ci", ...changes }),
    slots: [],
    pool: {
      controlPlanes: 1,
      workers: 1,
      machines: Array.from({ length: machines }, (_, i) => machine(i)),
    },
  };
}

/** Guests on a hypervisor, and two VLANs for them. */
export function guestTemplate(changes: Record<string, unknown> = {}): Template {
  const vlan = (id: number, third: number) => ({
    id,
    subnets: [`10.${third}.0.0/24`, `fd00:${third}::/64`],
    gateways: [`10.${third}.0.1`, `fd00:${third}::1`],
  });
  return {
    source: "guests.yaml",
    sections: stack({ nodes: { libvirt }, "cluster.name": "ci", ...changes }),
    slots: [
      { name: "a", set: { network: { vlan: vlan(301, 31) } } },
      { name: "b", set: { network: { vlan: vlan(302, 32) } } },
    ],
  };
}

const libvirt = {
  image: { sha512: "0".repeat(128) },
  authorizedKeys: [`${hostKey("operator")} ops`],
  hypervisors: [
    { name: "hv-1", uplink: "eno1", ssh: { host: "10.10.0.5", hostKey: hostKey("hv") } },
  ],
  pools: [
    {
      name: "control-plane",
      role: "control-plane",
      hypervisors: ["hv-1"],
      firstAddresses: ["10.10.0.11", "fd00:10:10::11"],
    },
    {
      name: "worker",
      role: "worker",
      count: 2,
      hypervisors: ["hv-1"],
      firstAddresses: ["10.10.0.21", "fd00:10:10::21"],
    },
  ],
};
