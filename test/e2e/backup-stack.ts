import { execFileSync } from "node:child_process";
import { loadConfig } from "../../config/load.ts";
import { backupSettings, rcloneConfiguration } from "../../plan/backup.ts";
import { stack } from "../stack.ts";
import type { Machine } from "../steps/machine.ts";

/**
 * Writes a stack's file with these targets, and what the plan makes of it for a control plane. Copies are
 * encrypted to the machine's operator.key.
 * @param changes More of the stack's fields.
 * @param credentials What rclone takes for a target.
 */
export function writeBackupStack(
  machine: Machine,
  targets: readonly unknown[],
  changes: Record<string, unknown>,
  credentials: Parameters<typeof rcloneConfiguration>[1],
) {
  const recipient = execFileSync("age-keygen", ["-y", machine.path("operator.key")], {
    encoding: "utf8",
  });
  const sections = stack({
    "backup.recipients": [recipient],
    "backup.targets": targets,
    "backup.metricsFile": machine.path("state/backup/metrics.prom"),
    ...changes,
  });
  const config = loadConfig(sections, "test.yaml");
  const entries = Object.entries(sections).map(([name, value]) => [`oslo-cluster:${name}`, value]);
  machine.write("Pulumi.test.yaml", JSON.stringify({ config: Object.fromEntries(entries) }));
  const [node] = config.nodes;
  if (node === undefined) throw new Error("no node");
  const { recipients, targets: checked } = config.backup;
  machine.write("etc/oslo-cluster/backup.json", backupSettings(config, { ...node, name: "cp-1" }));
  machine.write("etc/oslo-cluster/backup-recipients", `${recipients.join("\n")}\n`);
  machine.write("etc/oslo-cluster/rclone.conf", rcloneConfiguration(checked, credentials));
  return config;
}
