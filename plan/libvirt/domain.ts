import { createHash } from "node:crypto";
import type { GuestConfig } from "../../config/config.ts";
import type { GuestIdentity } from "./identity.ts";

export interface DomainArgs {
  name: string;
  title: string;
  identity: GuestIdentity;
  guest: GuestConfig;
  /** Directory of the guest's disks on the hypervisor. */
  directory: string;
  bridge: string;
  /** libvirt's network of the uplink's virtual functions. */
  functions: string;
  /** Of the VLAN, in bytes. */
  mtu: number;
  /** XDP shall attach to the NIC. */
  xdp: boolean;
}

/**
 * A guest as libvirt's domain document: dedicated memory, no balloon, virtio with as many queues as
 * asked, disks past the page cache, a serial console, and nothing else: no TPM, no secure boot, no
 * graphics, no USB.
 * Source: https://libvirt.org/formatdomain.html
 */
export function domainXml(args: DomainArgs): string {
  const { name, title, identity, guest } = args;
  const body = [
    `<name>${name}</name>`,
    `<uuid>${identity.uuid}</uuid>`,
    `<title>${title}</title>`,
    `<memory unit="MiB">${guest.memoryMebibytes}</memory>`,
    ...memoryBacking(guest),
    `<vcpu placement="static">${guest.vcpus}</vcpu>`,
    "<iothreads>1</iothreads>",
    ...cpuTune(guest),
    "<os>",
    `  <type arch="x86_64" machine="${guest.machineType}">hvm</type>`,
    '  <boot dev="hd"/>',
    "</os>",
    "<features>",
    "  <acpi/>",
    "  <apic/>",
    "</features>",
    ...cpu(guest),
    '<clock offset="utc"/>',
    "<on_poweroff>destroy</on_poweroff>",
    "<on_reboot>restart</on_reboot>",
    "<on_crash>restart</on_crash>",
    "<devices>",
    ...indent([
      ...disk(args, "root", "vda"),
      ...(guest.etcdDiskGibibytes ? disk(args, "etcd", "vdb") : []),
      ...seed(args),
      ...nic(args),
      '<serial type="pty"/>',
      '<console type="pty"/>',
      '<rng model="virtio">',
      '  <backend model="random">/dev/urandom</backend>',
      "</rng>",
      '<controller type="usb" model="none"/>',
      '<memballoon model="none"/>',
    ]),
    "</devices>",
  ];
  // libvirt shows the digest of the definition that runs, and of the one that the next boot takes.
  const digest = createHash("sha256").update(body.join("\n")).digest("hex").slice(0, 16);
  return `${[
    `<domain type="${guest.domainType}">`,
    ...indent([
      "<metadata>",
      `  <oslo-cluster:definition xmlns:oslo-cluster="urn:oslo-cluster" digest="${digest}"/>`,
      "</metadata>",
      ...body,
    ]),
    "</domain>",
  ].join("\n")}\n`;
}

/** "If you pay for 4 GB, you get 4 GB": taken at the start, never swapped, never merged. */
function memoryBacking({ lockedMemory, hugePages }: GuestConfig): string[] {
  const pages = { none: undefined, "2MiB": 2, "1GiB": 1024 }[hugePages];
  if (!lockedMemory && pages === undefined) return [];
  return [
    "<memoryBacking>",
    ...(pages ? ["  <hugepages>", `    <page size="${pages}" unit="M"/>`, "  </hugepages>"] : []),
    "  <nosharepages/>",
    ...(lockedMemory ? ["  <locked/>"] : []),
    ...(lockedMemory ? ['  <allocation mode="immediate"/>'] : []),
    "</memoryBacking>",
  ];
}

function cpuTune({ cpus }: GuestConfig): string[] {
  if (cpus === undefined) return [];
  return [
    "<cputune>",
    ...cpus.map((host, vcpu) => `  <vcpupin vcpu="${vcpu}" cpuset="${host}"/>`),
    "</cputune>",
  ];
}

/** The topology that guests see is one socket with a core for each vCPU. */
function cpu({ cpuModel, vcpus }: GuestConfig): string[] {
  const topology = `  <topology sockets="1" cores="${vcpus}" threads="1"/>`;
  if (cpuModel.startsWith("host-")) {
    return [`<cpu mode="${cpuModel}" check="none">`, topology, "</cpu>"];
  }
  return [
    '<cpu mode="custom" match="exact" check="none">',
    `  <model fallback="forbid">${cpuModel}</model>`,
    topology,
    "</cpu>",
  ];
}

/** cache=none: what etcd syncs is on the device, not in the hypervisor's memory. */
function disk({ guest, directory }: DomainArgs, serial: string, target: string): string[] {
  return [
    '<disk type="file" device="disk">',
    `  <driver name="qemu" type="${guest.diskFormat}" cache="none" io="native" discard="unmap" iothread="1"/>`,
    `  <source file="${directory}/${serial}.${guest.diskFormat}"/>`,
    `  <target dev="${target}" bus="virtio"/>`,
    `  <serial>${serial}</serial>`,
    "</disk>",
  ];
}

/** Gone after the first boot, which startupPolicy allows for. virtio, since cloud kernels know no other disk. */
function seed({ directory }: DomainArgs): string[] {
  return [
    '<disk type="file" device="disk">',
    '  <driver name="qemu" type="raw"/>',
    `  <source file="${directory}/seed.iso" startupPolicy="optional"/>`,
    '  <target dev="vdz" bus="virtio"/>',
    "  <readonly/>",
    "  <serial>seed</serial>",
    "</disk>",
  ];
}

/**
 * Untagged: the hypervisor tags. No filterref: a filter of source addresses would drop what DSR and
 * native routing send.
 */
function nic({ guest, identity, bridge, functions, mtu, xdp }: DomainArgs): string[] {
  if (guest.nic === "sriov") {
    return [
      '<interface type="network">',
      `  <mac address="${identity.mac}"/>`,
      `  <source network="${functions}"/>`,
      "</interface>",
    ];
  }
  const backend = guest.domainType === "kvm" ? "vhost" : "qemu";
  const driver = `<driver name="${backend}" queues="${guest.queues}"${guest.domainType === "kvm" ? ' rx_queue_size="1024"' : ""}`;
  return [
    '<interface type="bridge">',
    `  <mac address="${identity.mac}"/>`,
    `  <source bridge="${bridge}"/>`,
    '  <model type="virtio"/>',
    ...(xdp
      ? [
          // virtio-net refuses XDP while the host may hand it merged segments.
          `  ${driver}>`,
          '    <guest csum="off" tso4="off" tso6="off" ecn="off" ufo="off"/>',
          "  </driver>",
        ]
      : [`  ${driver}/>`]),
    `  <mtu size="${mtu}"/>`,
    "</interface>",
  ];
}

function indent(lines: string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
