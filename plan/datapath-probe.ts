import { family, hexadecimal, hostPort, lastAddress, unabridged } from "../config/cidr.ts";
import type { Config, NodeConfig } from "../config/config.ts";
import { probePort, vrrp } from "../config/ports.ts";
import type { LoadBalancerMode } from "./cilium.ts";
import { effect, type StepEffects } from "./effect.ts";
import { neighbours } from "./neighbours.ts";
import { type StepDocument, step } from "./step.ts";

/** What the nodes try out with one another before Cilium is installed. */
export interface DatapathProbe {
  fallback: Config["cilium"]["loadBalancer"]["fallback"];
  /** What each node sends and expects, by its name. */
  documents: Record<string, StepDocument>;
}

/**
 * What arrived, by `sender -> receiver` and family. A kind that the mode does not need, or that
 * needs a third node where there are two, is absent.
 */
export type DatapathReading = Record<
  string,
  Partial<Record<"ipv4" | "ipv6", Partial<Record<Kind, boolean>>>>
>;

/**
 * plain: an ordinary packet, without which the others prove nothing. podSource: from a pod's address,
 * as native routing sends it. option: with the IP option that carries DSR's service address; ipip:
 * with its other dispatch. nodeSource: from a third node's address, as DSR answers. vrrp: between control
 * planes with a virtual address, as keepalived says that it lives.
 */
type Kind = "plain" | "podSource" | "option" | "ipip" | "nodeSource" | "vrrp";

interface Packet {
  kind: Kind;
  from: string;
  family: 4 | 6;
  /** The address that it says it comes from. */
  source: Address;
  destination: string;
  /** Cilium's option as hexadecimal digits; empty for other kinds. */
  option: string;
}

/** An address as text, and with every digit. */
interface Address {
  text: string;
  digits: string;
}

/** What packets need of a node, read once: there are many packets. */
interface Endpoint {
  name: string;
  isControlPlane: boolean;
  addresses: Partial<Record<4 | 6, Address & { option: string }>>;
}

/** Seconds for a node to begin, once it is reached; for what is lacking after its first packet. */
const patience = { start: 90, packet: 20 };

type Part = Pick<Config, "cluster" | "nodes" | "network" | "cilium" | "ssh">;

export function datapathProbe(config: Part): DatapathProbe {
  const endpoints = config.nodes.map(endpointOf);
  return {
    fallback: config.cilium.loadBalancer.fallback,
    documents: Object.fromEntries(
      endpoints.map((endpoint) => [endpoint.name, documentOf(config, endpoints, endpoint)]),
    ),
  };
}

function endpointOf({ name, role, addresses }: NodeConfig): Endpoint {
  const entries = addresses.map((text) => {
    return [family(text), { ...addressOf(text), option: dsrOption(text) }] as const;
  });
  return {
    name,
    isControlPlane: role === "control-plane",
    addresses: Object.fromEntries(entries),
  };
}

function addressOf(text: string): Address {
  return { text, digits: unabridged(text) };
}

/** The mode that what arrived allows: where less than the wanted mode needs, the fallback. */
export function allowedMode(wanted: LoadBalancerMode, reading: DatapathReading): LoadBalancerMode {
  const passed = Object.values(reading)
    .flatMap((families) => Object.values(families))
    .every(({ option = true, ipip = true, nodeSource = true }) => option && ipip && nodeSource);
  return passed ? wanted : "snat";
}

function documentOf(
  config: Part,
  endpoints: readonly Endpoint[],
  endpoint: Endpoint,
): StepDocument {
  const { cilium, network } = config;
  const packets = packetsOf(config, endpoints);
  // Control planes all of them: with a virtual address each must hear each.
  const peers = [
    ...new Set([
      ...neighbours(endpoints, endpoint),
      ...endpoints.filter((other) => areKeepers(config, endpoint, other)),
    ]),
  ];
  const sent = peers.flatMap((peer) => packets(endpoint, peer));
  const expected = peers.flatMap((peer) => packets(peer, endpoint));
  return step("probe", {
    CLUSTER: config.cluster.name,
    NODE: endpoint.name,
    INTERFACE: network.vlan.interface,
    PORT: probePort,
    SEND: sent.map((packet) => `${packet.kind}=${socat(packet)}`).join(" "),
    EXPECT: expected
      .map((packet) =>
        [packet.from, packet.family, packet.kind, packet.source.digits, packet.option].join("/"),
      )
      .join(" "),
    OPTIONAL: cilium.loadBalancer.fallback === "snat" ? "option ipip nodeSource" : "",
    START_SECONDS: config.ssh.dialTimeoutSeconds + patience.start,
    PATIENCE_SECONDS: patience.packet,
  });
}

/** True of two control planes between which keepalived's packets pass. */
function areKeepers({ cluster }: Part, one: Endpoint, other: Endpoint): boolean {
  return (
    cluster.endpoint.virtualAddress !== undefined &&
    one !== other &&
    one.isControlPlane &&
    other.isControlPlane
  );
}

/** Every packet from one node to another. */
function packetsOf(config: Part, endpoints: readonly Endpoint[]) {
  const { cilium, cluster, network } = config;
  const { mode, dsrDispatch } = cilium.loadBalancer;
  const pods = network.podSubnets.map((subnet) => addressOf(lastAddress(subnet)));
  return (from: Endpoint, to: Endpoint): Packet[] => {
    const third = endpoints.find((other) => other !== from && other !== to);
    return network.families.flatMap((of) => {
      const own = from.addresses[of];
      const destination = to.addresses[of]?.text;
      const pod = pods.find(({ text }) => family(text) === of);
      if (own === undefined || destination === undefined || pod === undefined) return [];
      const packet = (kind: Kind, source: Address = own, option = ""): Packet => {
        return { kind, from: from.name, family: of, source, destination, option };
      };
      const { virtualAddress } = cluster.endpoint;
      const isKept = areKeepers(config, from, to) && family(virtualAddress?.address ?? "") === of;
      const always = [
        packet("plain"),
        packet("podSource", pod),
        ...(isKept ? [packet("vrrp")] : []),
      ];
      if (mode === "snat") return always;
      const source = third?.addresses[of];
      return [
        ...always,
        dsrDispatch === "opt" ? packet("option", own, own.option) : packet("ipip"),
        ...(source ? [packet("nodeSource", source)] : []),
      ];
    });
  };
}

/**
 * Cilium's option with a service's address and port: IPv4 option 26 with the copy flag and 8 bytes,
 * IPv6 destination option 0x1b with 20. The service here is the sender: no other's packet passes for it.
 * Source: bpf/lib/common.h of Cilium 1.20, DSR_IPV4_OPT_32 and struct dsr_opt_v6.
 */
function dsrOption(service: string): string {
  const [address, servicePort] = [hexadecimal(service), probePort.toString(16).padStart(4, "0")];
  return family(service) === 4
    ? `9a08${servicePort}${address}`
    : `1b14${address}${servicePort}0000`;
}

/** socat's address that sends a packet, but for the interface. */
function socat({ kind, family: of, source, destination, option }: Packet): string {
  const protocol = kind === "ipip" ? ipInIp[of] : kind === "vrrp" ? vrrp.number : undefined;
  const to = protocol === undefined ? `UDP${of}-DATAGRAM` : `IP${of}-DATAGRAM`;
  const number = protocol ?? probePort;
  const own = of === 6 ? `[${source.text}]` : source.text;
  const options = [`bind=${own}`];
  if (kind === "podSource" || kind === "nodeSource") options.push("ip-transparent");
  if (option !== "" && of === 4) options.push(`ip-options=x${option}`);
  // IPPROTO_IPV6 and IPV6_DSTOPTS; the header begins with the next one's type, the kernel's, and its length.
  if (option !== "" && of === 6) options.push(`setsockopt=41:59:x0002${option}`);
  return [`${to}:${hostPort(destination, number)}`, ...options].join(",");
}

/** IP protocols of IPv4 in IPv4 and of IPv6 in IPv6. */
const ipInIp = { 4: 4, 6: 41 };

/** The probe runs again as a whole; what it finds decides Cilium's mode only where there is a fallback. */
export const probeEffects: StepEffects = {
  default: effect("none", "packets are tried out again; `up` stops where they do not pass"),
  vars: {
    OPTIONAL: effect(
      "restart",
      "packets are tried out again; where the mode that they allow is another one, Cilium's agents restart, node after node",
    ),
  },
};
