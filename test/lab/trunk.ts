import { join } from "node:path";
import { segment } from "./segment.ts";
import { inNamespace, run, succeeds } from "./shell.ts";

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

const uplink = "uplink";
const vlanDevice = `${uplink}.${trunk.vlan}`;

/**
 * Makes the trunk in the lab's namespace, and the operator's port of it with addresses on the VLAN,
 * unless they are there.
 *
 * @param tree root file system of a hypervisor, whose `ip` also knows what to do where this machine's
 *   kernel has no VLAN devices
 * @returns true where the lab's substitute tags the frames, and not the kernel's 802.1Q
 */
export async function ensureTrunk(tree: string): Promise<boolean> {
  const { bridge, mtu, vlan } = trunk;
  if (!(await succeeds("ip", ["-n", segment.netns, "link", "show", vlanDevice]))) {
    await ip("link", "add", bridge, "type", "bridge", "mcast_snooping", "0", "forward_delay", "0");
    const ends = ["name", uplink, "mtu", `${mtu}`, "type", "veth", "peer", "name", "trunk-lab"];
    await ip("link", "add", ...ends, "mtu", `${mtu}`);
    await ip("link", "set", "trunk-lab", "master", bridge, "up");
    await ip("link", "set", bridge, "mtu", `${mtu}`, "up");
    await ip("link", "set", uplink, "up");
    const own = join(tree, "usr/local/sbin/ip");
    const tagged = ["link", "add", "link", uplink, "name", vlanDevice, "type", "vlan"];
    const [nsenter = "", ...args] = inNamespace(segment.netns, [own, ...tagged, "id", `${vlan}`]);
    await run(nsenter, args);
    const { address, prefixLength, address6, prefixLength6 } = trunk;
    await ip("address", "add", `${address}/${prefixLength}`, "dev", vlanDevice);
    await ip("address", "add", `${address6}/${prefixLength6}`, "dev", vlanDevice, "nodad");
    await ip("link", "set", vlanDevice, "up");
  }
  return (await ip("-o", "link", "show", "type", "vlan")) === "";
}

function ip(...args: string[]): Promise<string> {
  return run("ip", ["-n", segment.netns, ...args]);
}
