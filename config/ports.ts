import type { Config } from "./config.ts";

/** Who opens connections to a port of a node, besides the node itself. */
export type Client = "control planes" | "nodes" | "pods" | "operators" | "anyone";

/** Ports of a node that one program listens on. */
export interface PortRange {
  first: number;
  /** The same as `first` for a single port. */
  last: number;
  protocol: "tcp" | "udp";
  owner: string;
  /** Nobody: it listens on the loopback interface alone. */
  from: readonly Client[];
}

/** A protocol without ports that nodes speak to one another. */
export interface PortlessProtocol {
  name: string;
  /** As in the IP header. */
  number: number;
  owner: string;
  from: readonly Client[];
}

/** How keepalived says that it lives, with a virtual address. */
export const vrrp: PortlessProtocol = {
  ...{ name: "VRRP", number: 112 },
  ...{ owner: "keepalived, with cluster.endpoint.virtualAddress", from: ["control planes"] },
};

export const portlessProtocols: readonly PortlessProtocol[] = [vrrp];

/** Where every node finds the API server: its own balancer, on the loopback interface. */
export const apiBalancerPort = 7443;

/** The address of that balancer. */
export function apiBalancerAddress({ network }: Pick<Config, "network">): string {
  return network.families.includes(4) ? "127.0.0.1" : "::1";
}

/** UDP port of the datapath probe; beside Cilium's TCP port for health checks. */
export const probePort = 4240;

/** UDP port of Cilium's WireGuard tunnel. */
export const wireGuardPort = 51871;

type Part = Pick<Config, "cluster"> & { nodes?: Config["nodes"] };

/**
 * Every port of the nodes that a part of the cluster listens on, in order. Sources: Kubernetes' "Ports
 * and Protocols"; Cilium 1.20's system requirements and the chart's values.
 */
export function ports({ cluster, nodes = [] }: Part): PortRange[] {
  const ssh = [...new Set([22, ...nodes.map((node) => node.ssh.port)])];
  return [
    ...ssh.map((port) => tcp(port, "sshd", ["operators"])),
    tcp(cluster.endpoint.port, "the API server", ["nodes", "pods", "operators"]),
    tcp([2379, 2380], "etcd", ["control planes"]),
    tcp(2381, "etcd's metrics"),
    tcp(4240, "Cilium's health checks", ["nodes"]),
    udp(probePort, "the datapath probe", ["nodes"]),
    tcp(4244, "Hubble", ["nodes", "pods"]),
    tcp(apiBalancerPort, "the API server's balancer"),
    tcp(9234, "Cilium's operator"),
    tcp(9878, "Envoy's health"),
    tcp(9879, "Cilium's agent"),
    tcp(9890, "Cilium's agent (gops)"),
    tcp(9891, "Cilium's operator (gops)"),
    tcp(9962, "Cilium's metrics", ["pods"]),
    tcp(9963, "the metrics of Cilium's operator", ["pods"]),
    tcp(9964, "Envoy's metrics", ["pods"]),
    tcp(9965, "Hubble's metrics", ["pods"]),
    tcp(10248, "the kubelet's health"),
    tcp(10250, "the kubelet", ["nodes", "pods"]),
    tcp(10257, "the controller manager"),
    tcp(10259, "the scheduler"),
    tcp(nodePorts, "NodePorts", ["anyone"]),
    udp(nodePorts, "NodePorts", ["anyone"]),
    udp(wireGuardPort, "Cilium's WireGuard", ["nodes"]),
  ].sort((a, b) => a.first - b.first);
}

/** Who listens on a TCP port of a node; nothing where it is free. */
export function ownerOfPort(config: Part, port: number): string | undefined {
  return ports(config).find(
    ({ protocol, first, last }) => protocol === "tcp" && first <= port && port <= last,
  )?.owner;
}

/** Where ephemeral sockets begin: net.ipv4.ip_local_port_range is 1024 to 65535. */
const firstEphemeral = 1024;

/**
 * net.ipv4.ip_local_reserved_ports, as the kernel prints it: in order, adjacent ones as a range. Without
 * the ports of SSH: one that a node is reached at may be a router's, and is not the same for all nodes.
 */
export function reservedPorts({ cluster }: Pick<Config, "cluster">): string {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of ports({ cluster })) {
    if (first < firstEphemeral) continue;
    const before = merged.at(-1);
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
    else merged.push({ first, last });
  }
  return merged
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    .join(",");
}

const nodePorts = [30000, 32767] as const;

type Range = number | readonly [first: number, last: number];

function tcp(range: Range, owner: string, from: readonly Client[] = []): PortRange {
  const [first, last] = typeof range === "number" ? [range, range] : range;
  return { first, last, protocol: "tcp", owner, from };
}

function udp(range: Range, owner: string, from: readonly Client[]): PortRange {
  return { ...tcp(range, owner, from), protocol: "udp" };
}
