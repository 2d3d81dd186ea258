import type { AppliedDirective } from "../directive.ts";

/** The articles' claims about virtual machines, as the documents of guests have them. */
export const guestDirectives: AppliedDirective[] = [
  {
    article: "002",
    says: "virtio-net with multi-queue enabled; the CPU topology exposed correctly",
    applied:
      "domain.xml: queues = vCPUs, 2 × vCPUs where XDP is wanted; one socket, a core per vCPU",
    why: "Applied to guests that the program makes: XDP takes a queue per CPU to receive and one to send. The host's merged segments are off there, or virtio-net refuses XDP.",
  },
  {
    article: "004",
    says: "dedicated CPU pinning",
    applied: "nodes.libvirt.pools[].cpuPinning: a vcpupin for each vCPU",
    why: "Applied where CPUs are named; one CPU belongs to one guest, and the sum is checked.",
  },
  {
    article: "004",
    says: "SR-IOV capabilities",
    applied: "nodes.libvirt.pools[].nic: sriov",
    why: "Offered, not the default: a virtual function carries the VLAN's tag itself, bypasses the bridge, and cannot be moved.",
  },
  {
    article: "001",
    says: "Memory is reserved: if you pay for 4GB, you get 4GB (002: we don't overcommit RAM)",
    applied:
      "domain.xml: locked, allocation immediate, no balloon, no page merging; the preflight adds up",
    why: "Applied; what QEMU has locked is read back after the start, and a hypervisor whose memory the guests exceed is refused with the sum.",
  },
  {
    article: "001",
    says: "etcd on NVMe, never on shared SATA",
    applied:
      "a disk of its own for etcd: cache=none, io=native, an I/O thread; gate-etcd-disk measures it",
    why: "Applied: what etcd syncs is on the device. That the storage is NVMe, the gate's p99 tells better than a name.",
  },
  {
    article: "004",
    says: "nodes share a Layer 2 domain, as in private VLANs",
    applied:
      "a bridge per VLAN on every hypervisor, tagged on its uplink, no spanning tree, no filter on ports",
    why: "Applied; the guest's NIC is untagged, since Cilium 1.20 drops a Gateway's address on a VLAN sub-interface (cilium#46260).",
  },
];
