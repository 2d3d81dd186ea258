import { type Effects, effect } from "../../effect.ts";
import { forGuest, guestNames } from "../step.ts";

const shrinks = effect(
  "impossible",
  "disks only grow: write the former size, or re-create the node (generations)",
);
const grown = effect("live", "the disk grows at once, its file system at the next boot");
const grows: Effects = (before, after) => [Number(after) < Number(before) ? shrinks : grown];

/** What a running guest takes at once: the size of its disks, and the CPUs of its vCPUs. */
export const live = forGuest({
  name: "live",
  note: "A change is applied at once.",
  document: (target) => ({
    vars: {
      ...guestNames(target),
      FORMAT: target.guest.diskFormat,
      DISK_GIBIBYTES: target.guest.diskGibibytes,
      ETCD_DISK_GIBIBYTES: target.guest.etcdDiskGibibytes ?? 0,
      CPUS: (target.guest.cpus ?? []).join(" "),
    },
  }),
  effects: {
    default: effect("live", "vCPUs move to their CPUs at once"),
    vars: { DISK_GIBIBYTES: grows, ETCD_DISK_GIBIBYTES: grows },
  },
});
