import { existsSync } from "node:fs";
import { labName } from "./paths.ts";
import { inNamespace, run, succeeds } from "./shell.ts";

/** The lab's private L2 segment: one network namespace with a bridge, no way to anywhere else. */
export const segment = {
  /** Namespace with the bridge and the mirrors; the operator's commands run in it. */
  netns: labName,
  bridge: "br-lab",
  /** The mirrors' addresses, and the hosts' default gateway. */
  address: "10.10.0.1",
  address6: "fd00:10:10::1",
  prefixLength: 24,
  prefixLength6: 64,
  /** Where the hosts' pods get IPv4 addresses, unless the stack's file has it otherwise. */
  pods: "10.244.0.0/16",
} as const;

/**
 * On each port of the segment: what XDP sends back by a veth link (XDP_TX) waits for ever unless the link's other end
 * has a program too. This one is for sockets of AF_XDP, and passes all where nobody has one.
 */
export const xdpProgram = "/usr/lib/x86_64-linux-gnu/bpf/xsk_def_xdp_prog_5.3.o";

/** Name of a host's own network namespace. */
export function hostNamespace(host: string): string {
  return `${segment.netns}-${host}`;
}

/** The port of the bridge that a host hangs on. */
export function portOf({ address }: { address: string }): string {
  return `host-${address.split(".")[3]}`;
}

/** Makes the namespace with its bridge, unless it is there. */
export async function ensureSegment(): Promise<void> {
  const { netns, bridge } = segment;
  if (!existsSync(`/run/netns/${netns}`)) await run("ip", ["netns", "add", netns]);
  if (await succeeds("ip", ["-n", netns, "link", "show", bridge])) return;
  const ip = (...args: string[]) => run("ip", ["-n", netns, ...args]);
  await ip("link", "set", "lo", "up");
  // Snooping would drop IPv6 neighbour discovery until a querier appears, and there is none.
  await ip("link", "add", bridge, "type", "bridge", "mcast_snooping", "0", "forward_delay", "0");
  await ip("address", "add", `${segment.address}/${segment.prefixLength}`, "dev", bridge);
  await ip(
    ...["address", "add", `${segment.address6}/${segment.prefixLength6}`],
    ...["dev", bridge, "nodad"],
  );
  // XDP hands a packet on without its sender's promise of a checksum that is yet to be computed.
  await run("nsenter", [`--net=/run/netns/${netns}`, "ethtool", "-K", bridge, "tx", "off"]);
  await ip("link", "set", bridge, "up");
}

/** What a port of the segment drops of that which its host sends, as a hypervisor's port may. */
export type PortFilter =
  | "everything"
  | "IP options"
  | "foreign sources"
  | "other hosts' addresses"
  | "echo requests to the router"
  | "one echo answer in five"
  | "pods' large packets";

/** Filters a host's port, in the place of what filtered it before; without a filter all passes again. */
export async function filterPort(
  host: { name: string; address: string },
  filter: PortFilter | undefined,
): Promise<void> {
  const drop = {
    everything: "",
    "IP options": "ip hdrlength > 5",
    "foreign sources": `ip saddr != ${host.address}`,
    "echo requests to the router": `ip daddr ${segment.address} icmp type echo-request`,
    "one echo answer in five": `ip saddr ${host.address} icmp type echo-reply numgen random mod 5 0`,
    "pods' large packets": `ip saddr ${segment.pods} ip length > 1400`,
    "other hosts' addresses": `ip saddr != { ${host.address}, ${segment.pods} }`,
  };
  const table = `bridge ${host.name}`;
  const rules = [`table ${table} {}`, `delete table ${table}`];
  if (filter !== undefined) {
    rules.push(
      `table ${table} {`,
      // Packets to other ports, and packets to the operator, who is the bridge itself.
      "chain prerouting { type filter hook prerouting priority 0",
      `iifname ${portOf(host)} ${drop[filter]} drop`,
      "}",
      "}",
    );
  }
  const [command = "", ...args] = inNamespace(segment.netns, ["nft", "-f", "-"]);
  await run(command, args, { input: `${rules.join("\n")}\n` });
}

/** Whether a host's port takes what XDP on the host's own end of the link sends back (XDP_TX). */
export async function takeXdp(host: { address: string }, wanted: boolean): Promise<void> {
  const program = wanted ? ["xdpdrv", "object", xdpProgram, "section", "xdp"] : ["xdp", "off"];
  await run("ip", ["-n", segment.netns, "link", "set", "dev", portOf(host), ...program]);
}
