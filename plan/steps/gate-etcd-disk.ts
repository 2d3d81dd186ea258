import { measured } from "../effect.ts";
import { defineStep } from "../step.ts";

/**
 * etcd's disk. fio in etcd's own pattern, in a directory beside etcd's data, which kubeadm wants empty.
 * Source: etcd's documentation, "Hardware recommendations"; the articles' own command line.
 */
export const gateEtcdDisk = defineStep({
  name: "gate-etcd-disk",
  resource: "claim",
  on: (_, { role }) => role === "control-plane",
  document: ({ gates }) => ({
    vars: {
      DIRECTORY: "/var/lib/etcd",
      FIO: "--rw=write --ioengine=sync --fdatasync=1 --size=100m --bs=2300 --name=etcd_benchmark",
      P99_MILLISECONDS: gates.etcdFsyncP99Milliseconds,
    },
  }),
  effects: measured,
  directives: ({ gates }) => [
    {
      article: "001",
      says: "fio … --fdatasync=1 --size=100m --bs=2300: above 10 ms at p99, do not build a cluster there",
      applied: `gate-etcd-disk: p99 ≤ ${gates.etcdFsyncP99Milliseconds} ms`,
      why: "Applied. Read from fio's own percentile of fdatasync, not of completion; in a sub-directory, because kubeadm refuses a directory that fio has left files in.",
    },
  ],
});
