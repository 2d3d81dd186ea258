import { byPath, effect } from "../../effect.ts";
import { cloudInit } from "../cloud-init.ts";
import { imageFile } from "../names.ts";
import { forGuest, guestNames } from "../step.ts";

const kept = effect(
  "none",
  "taken at a guest's first boot: those that exist keep theirs until they are re-created (generations)",
);
const firstBoot = effect(
  "impossible",
  "taken at a guest's first boot alone: raise the node's number in generations with the same change",
);

/** A guest's disks, host key and seed. Neither disk nor seed of a guest that exists is touched. */
export const guest = forGuest({
  name: "guest",
  note: "A guest is re-created where its UUID, hypervisor, directory or format changes.",
  files: ["user-data", "meta-data", "network-config"],
  document(target) {
    const { config, node, guest, hypervisor, identity } = target;
    return {
      vars: {
        ...guestNames(target),
        IMAGE: imageFile(config.cluster.name, hypervisor, config.libvirt.image),
        FORMAT: guest.diskFormat,
        ETCD_DISK: guest.etcdDiskGibibytes ? 1 : 0,
      },
      files: cloudInit(config, node, identity),
    };
  },
  effects: {
    default: kept,
    files: {
      "network-config": byPath(
        { "ethernets.vlan.nameservers": kept, "ethernets.vlan.routes": kept },
        firstBoot,
      ),
    },
  },
});
