import type { Config, GuestConfig, LibvirtConfig, NodeConfig } from "../../config/config.ts";
import { byPath, type Effects, effect } from "../effect.ts";
import { cloudInit } from "./cloud-init.ts";
import { type DocumentEffects, document, type HypervisorDocument } from "./document.ts";
import { domainXml } from "./domain.ts";
import { guestIdentity } from "./identity.ts";
import { imageFile, sharedDirectory, vlanNames } from "./names.ts";

/**
 * A guest, in three documents by what a change of them means: `guest` by replacement alone, `domain`
 * at the guest's next boot, `live` at once.
 */
export interface GuestPlan {
  hypervisor: string;
  /** Another identity is another machine: the guest is re-created. */
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

const kept = effect(
  "none",
  "taken at a guest's first boot: those that exist keep theirs until they are re-created (generations)",
);
const firstBoot = effect(
  "impossible",
  "taken at a guest's first boot alone: raise the node's number in generations with the same change",
);

/** Neither disk nor seed of a guest that exists is touched. */
export const guestEffects: DocumentEffects = {
  default: kept,
  files: {
    "network-config": byPath(
      { "ethernets.vlan.nameservers": kept, "ethernets.vlan.routes": kept },
      firstBoot,
    ),
  },
};

const nextBoot = effect(
  "drain",
  "taken at the guest's next boot: drain it, then virsh shutdown and virsh start, one node at a time",
);

export const domainEffects: DocumentEffects = {
  default: effect("live", "defined again as it was; the guest keeps running"),
  vars: { LOCKED_MEBIBYTES: nextBoot },
  files: {
    "domain.xml": (before, after) => [
      unpinned(before) === unpinned(after)
        ? effect("live", "vCPUs move to their CPUs at once")
        : nextBoot,
    ],
  },
};

/** A domain without what `live` changes as well. */
function unpinned(xml = ""): string {
  return xml.replace(/ *<cputune>[\s\S]*?<\/cputune>\n/, "").replace(/ digest="\w+"/, "");
}

const shrinks = effect(
  "impossible",
  "disks only grow: write the former size, or re-create the node (generations)",
);
const grown = effect("live", "the disk grows at once, its file system at the next boot");
const grows: Effects = (before, after) => [Number(after) < Number(before) ? shrinks : grown];

export const liveEffects: DocumentEffects = {
  default: effect("live", "vCPUs move to their CPUs at once"),
  vars: { DISK_GIBIBYTES: grows, ETCD_DISK_GIBIBYTES: grows },
};
