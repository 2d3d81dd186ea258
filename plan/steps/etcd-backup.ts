import type { Config } from "../../config/config.ts";
import {
  backupHome,
  backupSettings,
  kindOf,
  knownHosts,
  rcloneConfiguration,
  timerUnits,
} from "../backup.ts";
import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

/** Files that are made on the node or handed to it, and are no part of the plan. */
function credentials({ name, s3 }: Config["backup"]["targets"][number]): Record<string, string> {
  if (s3) {
    return { shared_credentials_file: `${backupHome}/credentials/${name}`, profile: "default" };
  }
  const known_hosts_file = "/etc/oslo-cluster/backup-known-hosts";
  return { key_file: `${backupHome}/id_ed25519`, known_hosts_file };
}

/** Copies of the cluster's state by a timer. Without a target the timer is off. */
export const etcdBackup = defineStep({
  name: "etcd-backup",
  resource: "upkeep",
  on: (_, { role }) => role === "control-plane",
  document(config, node) {
    const { targets, recipients } = config.backup;
    const isOn = targets.length > 0;
    const names = targets.map((target) => `${target.name}:${kindOf(target)}`).join(" ");
    return {
      vars: { NODE: node.name, TARGETS: isOn ? names : "none" },
      files: isOn
        ? {
            "/etc/oslo-cluster/backup.json": backupSettings(config, node),
            "/etc/oslo-cluster/backup-recipients": recipients.join("\n"),
            "/etc/oslo-cluster/backup-known-hosts": `# SFTP targets\n${knownHosts(targets)}`,
            "/etc/oslo-cluster/rclone.conf": rcloneConfiguration(targets, credentials),
            ...timerUnits(config, node),
          }
        : {},
    };
  },
  effects: {
    default: effect(
      "restart",
      "the backup's timer restarts, and a copy is made at once; nothing else on the node changes",
    ),
  },
});
