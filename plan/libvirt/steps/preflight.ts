import { measured } from "../../effect.ts";
import { vlanNames } from "../names.ts";
import { onHypervisor } from "../step.ts";

/** What is given away in all, held against what is there, before anything is made anywhere. */
export const preflight = onHypervisor({
  name: "preflight",
  note: "Measured; changes nothing.",
  document({ config, hypervisor, guests: nodes }) {
    const { cluster, network, libvirt } = config;
    const guests = nodes.flatMap(({ name, guest }) => (guest ? [{ name, guest }] : []));
    const sum = (of: (entry: (typeof guests)[number]) => number) =>
      guests.reduce((total, entry) => total + of(entry), 0);
    const pages = (size: "2MiB" | "1GiB") =>
      sum(({ guest }) => (guest.hugePages === size ? guest.memoryMebibytes : 0));
    return {
      vars: {
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
          .map(
            ({ name, guest }) => `${name} ${guest.diskGibibytes + (guest.etcdDiskGibibytes ?? 0)}`,
          )
          .join(" + "),
        DISK_GIBIBYTES: sum(({ guest }) => guest.diskGibibytes + (guest.etcdDiskGibibytes ?? 0)),
        VCPUS: Math.max(0, ...guests.map(({ guest }) => guest.vcpus)),
        PINNED_CPUS: guests.flatMap(({ guest }) => guest.cpus ?? []).join(" "),
        SRIOV: guests.filter(({ guest }) => guest.nic === "sriov").length,
        IMAGE_PATH: libvirt.image.path,
      },
    };
  },
  effects: measured,
});
