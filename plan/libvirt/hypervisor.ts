import type { Config, LibvirtConfig, NodeConfig } from "../../config/config.ts";
import { effect } from "../effect.ts";
import type { Reach } from "../reach.ts";
import { type DocumentEffects, document, type HypervisorDocument } from "./document.ts";
import { imageFile, sharedDirectory, vlanNames } from "./names.ts";

/** Everything that will be on one hypervisor before its guests. */
export interface HypervisorPlan {
  name: string;
  reach: Reach;
  /** Measured before anything is made anywhere. */
  preflight: HypervisorDocument;
  vlan: HypervisorDocument;
  image: HypervisorDocument;
}

type Part = Pick<Config, "cluster" | "network" | "nodes"> & { libvirt: LibvirtConfig };
type Hypervisor = LibvirtConfig["hypervisors"][number];

export function hypervisorPlan(config: Part, hypervisor: Hypervisor): HypervisorPlan {
  const { name, ssh } = hypervisor;
  const guests = config.nodes.filter((node) => node.guest?.hypervisor === name);
  return {
    name,
    reach: { host: ssh.host, port: ssh.port, user: ssh.user, hostKey: ssh.hostKey },
    preflight: preflight(config, hypervisor, guests),
    vlan: vlan(config, hypervisor, guests),
    image: image(config, hypervisor),
  };
}

/** What is given away in all, to be held against what is there. */
function preflight(config: Part, hypervisor: Hypervisor, nodes: NodeConfig[]): HypervisorDocument {
  const { cluster, network, libvirt } = config;
  const guests = nodes.flatMap(({ name, guest }) => (guest ? [{ name, guest }] : []));
  const sum = (of: (entry: (typeof guests)[number]) => number) =>
    guests.reduce((total, entry) => total + of(entry), 0);
  const pages = (size: "2MiB" | "1GiB") =>
    sum(({ guest }) => (guest.hugePages === size ? guest.memoryMebibytes : 0));
  return document("preflight", {
    CLUSTER: cluster.name,
    DOMAIN_TYPE: libvirt.domainType,
    STORAGE: hypervisor.storage,
    UPLINK: hypervisor.uplink,
    VLAN: network.vlan.id,
    ...vlanNames(config, hypervisor),
    MTU: network.mtu,
    GUESTS: guests.map(({ name }) => `${cluster.name}-${name}`).join(" "),
    MEMORY: guests.map(({ name, guest }) => `${name} ${guest.memoryMebibytes}`).join(" + "),
    MEMORY_MEBIBYTES: sum(({ guest }) => guest.memoryMebibytes),
    MEMORY_LIMIT_MEBIBYTES: hypervisor.memoryMebibytes,
    RESERVED_MEBIBYTES: hypervisor.reservedMemoryMebibytes,
    HUGE_2MIB_MEBIBYTES: pages("2MiB"),
    HUGE_1GIB_MEBIBYTES: pages("1GiB"),
    DISK: guests
      .map(({ name, guest }) => `${name} ${guest.diskGibibytes + (guest.etcdDiskGibibytes ?? 0)}`)
      .join(" + "),
    DISK_GIBIBYTES: sum(({ guest }) => guest.diskGibibytes + (guest.etcdDiskGibibytes ?? 0)),
    VCPUS: Math.max(0, ...guests.map(({ guest }) => guest.vcpus)),
    PINNED_CPUS: guests.flatMap(({ guest }) => guest.cpus ?? []).join(" "),
    SRIOV: guests.filter(({ guest }) => guest.nic === "sriov").length,
    IMAGE_PATH: libvirt.image.path,
  });
}

/** The VLAN as a systemd unit, whatever configures the hypervisor's own network. */
function vlan(config: Part, hypervisor: Hypervisor, nodes: NodeConfig[]): HypervisorDocument {
  const { cluster, network } = config;
  const names = vlanNames(config, hypervisor);
  const functions = nodes.some(({ guest }) => guest?.nic === "sriov");
  return document(
    "vlan",
    {
      CLUSTER: cluster.name,
      UPLINK: hypervisor.uplink,
      VLAN: network.vlan.id,
      ...names,
      MTU: network.mtu,
    },
    {
      unit: vlanUnit({
        ...names,
        cluster: cluster.name,
        mtu: network.mtu,
        id: network.vlan.id,
        uplink: hypervisor.uplink,
      }),
      ...(functions
        ? {
            "functions.xml": [
              "<network>",
              `  <name>${names.BRIDGE}-functions</name>`,
              '  <forward mode="hostdev" managed="yes">',
              `    <pf dev="${hypervisor.uplink}"/>`,
              "  </forward>",
              "  <vlan>",
              `    <tag id="${network.vlan.id}"/>`,
              "  </vlan>",
              "</network>",
            ].join("\n"),
          }
        : {}),
    },
  );
}

interface VlanUnit {
  cluster: string;
  uplink: string;
  id: number | undefined;
  mtu: number;
  VLAN_DEVICE: string;
  BRIDGE: string;
}

/**
 * Tagged on the uplink, untagged on the bridge. No spanning tree: a port would be deaf for 30 s. No
 * snooping: without a querier it drops IPv6 neighbour discovery.
 */
function vlanUnit({ cluster, uplink, id, mtu, VLAN_DEVICE, BRIDGE }: VlanUnit): string {
  const once = (device: string, make: string) =>
    `ExecStart=/bin/sh -c 'ip link show dev ${device} >/dev/null 2>&1 || ${make}'`;
  return [
    "[Unit]",
    `Description=VLAN ${id} on ${uplink} for cluster ${cluster}`,
    "After=network.target",
    "Before=libvirtd.service virtqemud.service libvirt-guests.service",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    once(
      BRIDGE,
      `ip link add name ${BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    ),
    once(VLAN_DEVICE, `ip link add link ${uplink} name ${VLAN_DEVICE} type vlan id ${id}`),
    `ExecStart=/bin/sh -c 'ip link set dev ${VLAN_DEVICE} mtu ${mtu} master ${BRIDGE} up'`,
    `ExecStart=/bin/sh -c 'ip link set dev ${BRIDGE} mtu ${mtu} addrgenmode none up'`,
    `ExecStop=/bin/sh -c 'ip link delete dev ${VLAN_DEVICE}'`,
    `ExecStop=/bin/sh -c 'ip link delete dev ${BRIDGE}'`,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ].join("\n");
}

function image({ cluster, libvirt }: Part, hypervisor: Hypervisor): HypervisorDocument {
  return document("image", {
    CLUSTER: cluster.name,
    DIRECTORY: sharedDirectory(cluster.name, hypervisor),
    IMAGE: imageFile(cluster.name, hypervisor, libvirt.image),
    IMAGE_URL: libvirt.image.url,
    SHA512: libvirt.image.sha512,
  });
}

const otherVlan = effect(
  "impossible",
  "guests are on it, and the preflight refuses another: put it back, or destroy the cluster first",
);
const inPlace = effect("live", "the VLAN's devices take it at once; guests stay on their bridge");

export const preflightEffects: DocumentEffects = {
  default: effect("none", "measured again; `up` stops before it changes anything where it fails"),
};

export const vlanEffects: DocumentEffects = {
  default: inPlace,
  vars: { UPLINK: otherVlan, VLAN: otherVlan, VLAN_DEVICE: otherVlan, BRIDGE: otherVlan },
  files: {
    unit: (before, after) => [before && head(before) !== head(after) ? otherVlan : inPlace],
    "functions.xml": (before, after) => [before && after ? otherVlan : inPlace],
  },
};

export const imageEffects: DocumentEffects = {
  default: effect(
    "none",
    "for guests that are made from now on; those that exist keep their disks",
  ),
};

/** The unit's lines that name VLAN and uplink. */
function head(unit: string | undefined): string | undefined {
  return unit?.split("\n").find((line) => line.startsWith("Description="));
}
