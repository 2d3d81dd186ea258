import { effect } from "../../effect.ts";
import { domainXml } from "../domain.ts";
import { vlanNames } from "../names.ts";
import { forGuest, guestNames } from "../step.ts";

const nextBoot = effect(
  "drain",
  "taken at the guest's next boot: drain it, then virsh shutdown and virsh start, one node at a time",
);

/** A guest's definition, which it takes at its next boot. */
export const domain = forGuest({
  name: "domain",
  note: "A change waits for the guest's next boot: drain the node first.",
  files: ["domain.xml"],
  document(target) {
    const { config, node, guest, hypervisor, identity } = target;
    const { DIRECTORY, ...names } = guestNames(target);
    const { BRIDGE } = vlanNames(config, hypervisor);
    return {
      vars: {
        ...names,
        LOCKED_MEBIBYTES: guest.lockedMemory ? guest.memoryMebibytes : 0,
        FUNCTIONS: guest.nic === "sriov" ? `${BRIDGE}-functions` : undefined,
      },
      files: {
        "domain.xml": domainXml({
          name: names.DOMAIN,
          title: `${node.name} of ${config.cluster.name}`,
          identity,
          guest,
          directory: DIRECTORY,
          bridge: BRIDGE,
          functions: `${BRIDGE}-functions`,
          mtu: config.network.mtu,
          xdp: config.cilium.loadBalancer.acceleration !== "disabled",
        }),
      },
    };
  },
  effects: {
    default: effect("live", "defined again as it was; the guest keeps running"),
    vars: { LOCKED_MEBIBYTES: nextBoot },
    files: {
      "domain.xml": (before, after) => [
        unpinned(before) === unpinned(after)
          ? effect("live", "vCPUs move to their CPUs at once")
          : nextBoot,
      ],
    },
  },
  directives: () => [
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
  ],
});

/** A domain without what `live` changes as well. */
function unpinned(xml = ""): string {
  return xml.replace(/ *<cputune>[\s\S]*?<\/cputune>\n/, "").replace(/ digest="\w+"/, "");
}
