import { existsSync } from "node:fs";
import { labName } from "./paths.ts";
import { run, succeeds } from "./shell.ts";

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
} as const;

/** Name of a host's own network namespace. */
export function hostNamespace(host: string): string {
  return `${segment.netns}-${host}`;
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
  await ip("link", "set", bridge, "up");
}
