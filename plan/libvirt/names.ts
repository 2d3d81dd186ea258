import type { Config, LibvirtConfig } from "../../config/config.ts";

type Hypervisor = LibvirtConfig["hypervisors"][number];

/** The devices of the cluster's VLAN on a hypervisor, as its scripts' variables. */
export function vlanNames(
  { network }: Pick<Config, "network">,
  { uplink }: Pick<Hypervisor, "uplink">,
): { VLAN_DEVICE: string; BRIDGE: string } {
  const { id } = network.vlan;
  return { VLAN_DEVICE: `${uplink}.${id}`, BRIDGE: `oslo${id}` };
}

/** Where everything of a cluster is on a hypervisor. */
export function sharedDirectory(cluster: string, { storage }: Pick<Hypervisor, "storage">): string {
  return `${storage}/oslo-cluster/${cluster}`;
}

/** The image as guests' disks are made from it. */
export function imageFile(
  cluster: string,
  hypervisor: Pick<Hypervisor, "storage">,
  { path, sha512 }: LibvirtConfig["image"],
): string {
  return path ?? `${sharedDirectory(cluster, hypervisor)}/images/${sha512.slice(0, 16)}.img`;
}
