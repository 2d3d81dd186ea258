import { z } from "zod";
import { field } from "../field.ts";
import { address, dnsLabel, hostKey, hostname, url, user } from "../formats.ts";
import { role } from "./role.ts";
import { sshLogin } from "./ssh-login.ts";

const count = (least: number, what: string) =>
  z.int("not a whole number; write one").min(least, `too few; write ${least} ${what} or more`);

/** Kubernetes' own limit. */
const mostNodes = 5000;
const tooManyNodes = `more than a cluster takes; write at most ${mostNodes} nodes in all`;

const path = z
  .string()
  .regex(
    /^(\/[A-Za-z0-9_.+-]+)+$/,
    "not an absolute path without spaces; write one such as /srv/images",
  );

/** `2-9,12`: as taskset and libvirt's cpuset write it. */
const cpuSet = z
  .string()
  .max(1000, "longer than a list of CPUs; write one such as 2-9,12")
  .regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, "not a list of CPUs; write one such as 2-9,12")
  .refine(
    (set) =>
      set.split(",").every((part) => {
        const [from = 0, to = from] = part.split("-").map(Number);
        return from <= to && to <= 8191;
      }),
    "no range of CPUs that Linux has; write lower to upper, at most 8191",
  );

const publicKey = z
  .string()
  .trim()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/]+={0,2}( \P{Cc}*)?$/u,
    "not a public SSH key; copy the line that ssh-add -L prints",
  );

/** The defaults take Debian's own cloud image. */
const image = z.strictObject({
  url: field(
    url.optional(),
    "none",
    "Where each hypervisor downloads it, once. Default: https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2 (Debian 13), unless `path` is set. Prefer a dated directory: `latest` changes, and a changed image is refused.",
  ),
  path: field(
    path.optional(),
    "none",
    "A file that is on every hypervisor, instead of a download. Default: none.",
  ),
  sha512: field(
    z
      .string()
      .trim()
      .toLowerCase()
      .regex(
        /^[0-9a-f]{128}$/,
        "not a SHA-512 sum; copy all 128 hexadecimal digits from the image's SHA512SUMS",
      ),
    "none",
    "SHA-512 of the image, verified before use. Guests that exist keep what they were made from; new ones take this.",
  ),
});

const hypervisor = z.strictObject({
  name: field(dnsLabel, "recreate", "The hypervisor's name in this file and in every message."),
  ssh: z.strictObject({
    host: field(hostname, "none", "Where SSH answers."),
    ...sshLogin,
    hostKey: field(
      hostKey,
      "none",
      "The hypervisor's public host key, pinned from the first byte.",
    ),
  }),
  uplink: field(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,15}$/, "not an interface name; write one such as eno1 or bond0"),
    "impossible",
    "The interface that carries the VLAN, tagged.",
  ),
  storage: field(
    path.default("/var/lib/libvirt/images"),
    "recreate",
    "Directory for guests' disks; it should lie on NVMe. Everything is made below oslo-cluster/<cluster> in it.",
  ),
  memoryMebibytes: field(
    count(1, "MiB").optional(),
    "none",
    "Memory that guests may take in all, in MiB. Default: what the machine has, less `reservedMemoryMebibytes`.",
  ),
  reservedMemoryMebibytes: field(
    z.int("not a whole number; write MiB").min(0, "negative; write 0 or more").default(2048),
    "none",
    "Memory kept for the hypervisor itself, in MiB.",
  ),
});

const pool = z.strictObject({
  name: field(dnsLabel, "recreate", "Its nodes are <name>-1, <name>-2 and so on."),
  role: field(role, "impossible", "control-plane (etcd, API server, controllers) or worker."),
  count: field(
    z
      .int("not a whole number; write a count")
      .min(0, "negative; write 0 or more")
      .max(mostNodes, tooManyNodes)
      .default(1),
    "recreate",
    "How many nodes. More adds nodes, fewer takes the last ones away; the others stay as they are.",
  ),
  hypervisors: field(
    z.array(dnsLabel).min(1, "empty; name a hypervisor"),
    "recreate",
    "Where the nodes are placed, in turn: the first node on the first, and so on. Append only, or nodes move.",
  ),
  firstAddresses: field(
    z
      .array(address)
      .min(1, "empty; give the first node's address on the VLAN")
      .max(2, "too many; give one address, or two for dual stack"),
    "recreate",
    "Addresses of the first node on the VLAN, one per family; each next node has the next ones. Taken at the first boot: raise the nodes' `generations` with it.",
  ),
  vcpus: field(
    count(1, "vCPU").max(256, "too many; write 256 or less").default(4),
    "drain",
    "vCPUs of each node.",
  ),
  memoryMebibytes: field(count(512, "MiB").default(8192), "drain", "Memory of each node, in MiB."),
  diskGibibytes: field(
    count(3, "GiB").default(40),
    "live",
    "Root disk of each node, in GiB; it only grows, and the file system follows at the next boot.",
  ),
  etcdDiskGibibytes: field(
    count(1, "GiB").optional(),
    "live",
    "Separate disk for etcd on control-plane nodes, in GiB, mounted on /var/lib/etcd; it only grows (then resize2fs on the node). Default: 10 on a control plane.",
  ),
  cpuPinning: field(
    cpuSet.optional(),
    "live",
    "CPUs of the hypervisor that belong to this pool alone, such as 2-9; each node's vCPUs take the next ones. Default: not pinned.",
  ),
  cpuModel: field(
    z
      .string()
      .regex(
        /^[A-Za-z0-9_.-]+$/,
        "not a CPU model; write host-passthrough or one that virsh cpu-models x86_64 lists",
      )
      .default("host-passthrough"),
    "drain",
    "CPU that guests see: host-passthrough, or a model of libvirt's.",
  ),
  machineType: field(
    z
      .string()
      .regex(/^[a-z0-9.-]+$/, "not a machine type; write q35 or pc")
      .default("q35"),
    "drain",
    "Machine type of QEMU.",
  ),
  lockedMemory: field(
    z.boolean().default(true),
    "drain",
    "Memory is taken at the start and never swapped; what the hypervisor has locked is read back.",
  ),
  hugePages: field(
    z
      .enum(["none", "2MiB", "1GiB"], { error: "not a page size; write none, 2MiB or 1GiB" })
      .default("none"),
    "drain",
    "Huge pages of the hypervisor that back the memory; they must be reserved there.",
  ),
  diskFormat: field(
    z.enum(["qcow2", "raw"], { error: "not a disk format; write qcow2 or raw" }).default("raw"),
    "recreate",
    "Format of the disks' files.",
  ),
  nic: field(
    z
      .enum(["virtio", "sriov"], { error: "not a kind of NIC; write virtio or sriov" })
      .default("virtio"),
    "drain",
    "virtio-net with vhost and multi-queue, or a virtual function of the uplink (SR-IOV) that carries the VLAN's tag.",
  ),
  protected: field(
    z.boolean().optional(),
    "live",
    "Refuse to destroy or replace the nodes until this is false. Default: true on a control plane.",
  ),
  generations: field(
    z.record(dnsLabel, count(1, "as generation")).default({}),
    "recreate",
    "Raise a node's number to re-create it: `{worker-2: 2}`. It is drained first.",
  ),
});

/** KVM guests that the program makes on hypervisors with libvirt. */
export const libvirt = z.strictObject({
  image,
  domainType: field(
    z
      .enum(["kvm", "qemu"], { error: "not a domain type; write kvm, or qemu for emulation" })
      .default("kvm"),
    "drain",
    "kvm, or qemu: emulation, for laboratories without KVM.",
  ),
  user: field(
    user.default("debian"),
    "recreate",
    "Who logs in on guests, with sudo that asks for no password. Made at first boot: raise the nodes' `generations` with it.",
  ),
  authorizedKeys: field(
    z.array(publicKey).min(1, "empty; give the operators' public keys (ssh-add -L)"),
    "none",
    "Public SSH keys of the operators, put in at first boot. Guests that exist keep theirs.",
  ),
  nameservers: field(
    z.array(address).default([]),
    "none",
    "Resolvers that guests use. Guests that exist keep theirs.",
  ),
  hypervisors: field(
    z.array(hypervisor).min(1, "empty; name at least one hypervisor"),
    "recreate",
    "Machines with libvirt and QEMU from their distribution, reached over SSH. Nothing is installed on them.",
  ),
  pools: field(
    z
      .array(pool)
      .min(1, "empty; describe at least one pool")
      .refine((all) => all.reduce((sum, { count }) => sum + count, 0) <= mostNodes, tooManyNodes),
    "recreate",
    "Groups of like nodes.",
  ),
});
