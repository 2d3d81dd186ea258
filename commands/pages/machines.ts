import { dirname } from "node:path";
import type { Config } from "../../config/config.ts";
import { gateEtcdDisk } from "../../plan/steps/gate-etcd-disk.ts";
import { table } from "./markdown.ts";

/** What a machine must have, as the gates measure it. */
export function machineTable(config: Config): string {
  const { gates } = config;
  const [controlPlane] = config.nodes.filter(({ role }) => role === "control-plane");
  const disk = controlPlane && gateEtcdDisk.document(config, controlPlane);
  const sizes = `20 GB, ${gates.diskFreePercent} % of it free`;
  const steal = `at most ${gates.stealPercent} %`;
  const away = `at most ${gates.nodeRttMilliseconds} ms`;
  return table(
    ["", "Control plane", "Worker", "To see it yourself"],
    [
      ["CPUs", `${gates.cpus} or more`, "2 or more", "`nproc`"],
      [
        "Memory",
        `${gates.memoryMebibytes} MiB or more, better 4 GiB`,
        "2 GiB or more",
        "`free -m`",
      ],
      ["Stolen CPU time", steal, steal, "`top`: `st`"],
      ["Disk", sizes, sizes, "`df -h /var/lib`"],
      [
        "etcd's disk: fdatasync, 99th percentile",
        `at most ${gates.etcdFsyncP99Milliseconds} ms`,
        "any",
        `\`fio ${disk?.vars?.FIO} --unlink=1 --directory=${dirname(String(disk?.vars?.DIRECTORY))}\` (package \`fio\`): \`sync percentiles\``,
      ],
      ["Round trip to the others", away, away, "`ping`, over the private network"],
      ["Kernel", "5.10 or newer", "5.10 or newer", "`uname -r`"],
    ],
  );
}
