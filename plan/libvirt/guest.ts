import type { Config, GuestConfig, LibvirtConfig, NodeConfig } from "../../config/config.ts";
import { cloudInit } from "./cloud-init.ts";
import { document, type HypervisorDocument } from "./document.ts";
import { domainXml } from "./domain.ts";
import { guestIdentity } from "./identity.ts";
import { imageFile, sharedDirectory, vlanNames } from "./names.ts";

/**
 * A guest, in three documents by what a change of them means: `guest` by replacement alone, `domain`
 * at the guest's next boot, `live` at once.
 */
export interface GuestPlan {
  hypervisor: string;
  /** Another identity is another machine: the guest is made anew. */
  identity: string;
  protected: boolean;
  guest: HypervisorDocument;
  domain: HypervisorDocument;
  live: HypervisorDocument;
}

type Part = Pick<Config, "cluster" | "network" | "cilium"> & { libvirt: LibvirtConfig };

export function guestPlan(config: Part, node: NodeConfig, guest: GuestConfig): GuestPlan {
  const { cluster, network, libvirt, cilium } = config;
  const hypervisor = libvirt.hypervisors.find(({ name }) => name === guest.hypervisor);
  if (hypervisor === undefined) throw new Error(`${node.name}: no hypervisor ${guest.hypervisor}`);
  const identity = guestIdentity(cluster.name, node.name, guest.generation);
  const domain = `${cluster.name}-${node.name}`;
  const directory = `${sharedDirectory(cluster.name, hypervisor)}/${node.name}`;
  const { BRIDGE } = vlanNames(config, hypervisor);
  const names = { CLUSTER: cluster.name, NODE: node.name, DOMAIN: domain, UUID: identity.uuid };
  return {
    hypervisor: hypervisor.name,
    identity: `${identity.uuid} on ${hypervisor.name}: ${directory}, ${guest.diskFormat}`,
    protected: guest.protected,
    guest: document(
      "guest",
      {
        ...names,
        DIRECTORY: directory,
        IMAGE: imageFile(cluster.name, hypervisor, libvirt.image),
        FORMAT: guest.diskFormat,
        ETCD_DISK: guest.etcdDiskGibibytes ? 1 : 0,
      },
      cloudInit(config, node, identity),
    ),
    domain: document(
      "domain",
      {
        ...names,
        LOCKED_MEBIBYTES: guest.lockedMemory ? guest.memoryMebibytes : 0,
        FUNCTIONS: guest.nic === "sriov" ? `${BRIDGE}-functions` : undefined,
      },
      {
        "domain.xml": domainXml({
          name: domain,
          title: `${node.name} of ${cluster.name}`,
          identity,
          guest,
          directory,
          bridge: BRIDGE,
          functions: `${BRIDGE}-functions`,
          mtu: network.mtu,
          xdp: cilium.loadBalancer.acceleration !== "disabled",
        }),
      },
    ),
    live: document("live", {
      ...names,
      DIRECTORY: directory,
      FORMAT: guest.diskFormat,
      DISK_GIBIBYTES: guest.diskGibibytes,
      ETCD_DISK_GIBIBYTES: guest.etcdDiskGibibytes ?? 0,
      CPUS: (guest.cpus ?? []).join(" "),
    }),
  };
}
