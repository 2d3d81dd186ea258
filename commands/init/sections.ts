import { Address4, Address6 } from "ip-address";
import { contains } from "../../config/cidr.ts";
import type { Machine } from "./machine.ts";

/** A VLAN that all machines are on. */
export interface Vlan {
  interface: string;
  subnets: string[];
}

/** Private addresses (RFC 1918, RFC 4193), by family. */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/** Interfaces by which every machine has a private address in the same subnets. */
export function vlansOf(machines: readonly Machine[]): Vlan[] {
  const [first, ...others] = machines;
  return [...(first?.interfaces ?? [])].flatMap(([name, addresses]) => {
    const subnets = [...new Set(addresses.filter(isPrivate).map(subnetOf))].filter((subnet) =>
      others.every(({ interfaces }) => addressIn(subnet, interfaces.get(name)) !== undefined),
    );
    const families = ["ipv4", "ipv6"].flatMap(
      (family) => subnets.find((one) => one.includes(":") === (family === "ipv6")) ?? [],
    );
    return families.length > 0 ? [{ interface: name, subnets: families }] : [];
  });
}

/** The sections of a stack's file. Pure. @param controlPlanes So many of the machines, from the first on. */
export function sectionsOf(
  cluster: { name: string; region: string; residency: string; endpoint: string },
  vlan: Vlan,
  machines: readonly Machine[],
  controlPlanes: number,
): Record<string, unknown> {
  const { name, region, residency, endpoint } = cluster;
  const existing = machines.map((machine, i) => {
    const isControlPlane = i < controlPlanes;
    return {
      name: isControlPlane ? `cp-${i + 1}` : `worker-${i - controlPlanes + 1}`,
      role: isControlPlane ? "control-plane" : "worker",
      addresses: vlan.subnets.map((subnet) =>
        addressIn(subnet, machine.interfaces.get(vlan.interface)),
      ),
      ssh: {
        host: machine.host,
        ...(machine.port === 22 ? {} : { port: machine.port }),
        ...(machine.user === "root" ? {} : { user: machine.user }),
        hostKey: machine.hostKey,
      },
    };
  });
  return {
    cluster: { name, region, residency, endpoint: { host: endpoint } },
    network: { vlan: { subnets: vlan.subnets, interface: vlan.interface } },
    nodes: { existing },
  };
}

function isPrivate(address: string): boolean {
  return privateRanges.some((range) => contains(range, withoutPrefix(address)));
}

function addressIn(subnet: string, addresses: readonly string[] = []): string | undefined {
  const found = addresses.find((address) => subnetOf(address) === subnet);
  return found === undefined ? undefined : withoutPrefix(found);
}

function withoutPrefix(address: string): string {
  return address.split("/")[0] as string;
}

function subnetOf(address: string): string {
  const parsed = address.includes(":") ? new Address6(address) : new Address4(address);
  return `${parsed.startAddress().correctForm()}/${parsed.subnetMask}`;
}
