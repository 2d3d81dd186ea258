import { segment } from "./segment.ts";
import { run, succeeds } from "./shell.ts";

/** The cable between the hypervisors' uplinks: a bridge that lets tags pass, with room for jumbo frames. */
export const trunk = {
  bridge: "br-trunk",
  /** Of the bridge and of every uplink, in bytes. */
  mtu: 9000,
  /** The private VLAN of the guests. */
  vlan: 100,
  /** The operator's addresses on the VLAN, and the guests' default gateway. */
  address: "10.20.0.1",
  address6: "fd00:10:20::1",
  prefixLength: 24,
  prefixLength6: 64,
} as const;

/**
 * Makes the trunk in the lab's namespace, with the operator's addresses on the VLAN, unless it is
 * there.
 *
 * @returns whether the VLAN has tags. False where this machine's kernel has no 802.1Q: hypervisors
 *   share that kernel, so there the trunk carries the VLAN untagged.
 */
export async function ensureTrunk(): Promise<boolean> {
  const { bridge, mtu, vlan } = trunk;
  const tagged = `${bridge}.${vlan}`;
  if (await exists(bridge)) return exists(tagged);
  const link = ["link", "add", bridge, "mtu", `${mtu}`, "type", "bridge"];
  await ip(...link, "mcast_snooping", "0", "forward_delay", "0");
  await ip("link", "set", bridge, "up");
  const hasTags = await addVlanDevice(tagged);
  const device = hasTags ? tagged : bridge;
  await ip("address", "add", `${trunk.address}/${trunk.prefixLength}`, "dev", device);
  await ip("address", "add", `${trunk.address6}/${trunk.prefixLength6}`, "dev", device, "nodad");
  await ip("link", "set", device, "up");
  return hasTags;
}

/** @returns false where the kernel does not know VLAN devices. */
async function addVlanDevice(name: string): Promise<boolean> {
  const { bridge, vlan } = trunk;
  try {
    await ip("link", "add", "link", bridge, "name", name, "type", "vlan", "id", `${vlan}`);
    return true;
  } catch (error) {
    if (/unknown device type|not supported/i.test(String(error))) return false;
    throw error;
  }
}

function exists(link: string): Promise<boolean> {
  return succeeds("ip", ["-n", segment.netns, "link", "show", link]);
}

async function ip(...args: string[]): Promise<void> {
  await run("ip", ["-n", segment.netns, ...args]);
}
