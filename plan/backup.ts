import type { Config, NodeConfig } from "../config/config.ts";

type Target = Config["backup"]["targets"][number];

/** Where a control plane keeps its copies, its key and what it knows of the targets. */
export const backupHome = "/var/lib/oslo-cluster/backup";

/** Where a target keeps the copies of one cluster of this name, by its UID. */
export function copiesPath(target: Target, cluster: string): string {
  return [pathAt(target), cluster].join("/");
}

function pathAt({ sftp, s3 }: Target): string {
  if (sftp) return sftp.directory || ".";
  return [s3?.bucket, s3?.prefix].filter(Boolean).join("/");
}

/** How a target is spoken to. */
export function kindOf({ sftp }: Target): "sftp" | "s3" {
  return sftp ? "sftp" : "s3";
}

/** What the script of the nodes reads. */
export function backupSettings({ cluster, backup }: Config, node: NodeConfig): string {
  const { retention, metricsFile, targets } = backup;
  const settings = {
    cluster: cluster.name,
    node: node.name,
    retention,
    metricsFile,
    targets: targets.map((target) => ({
      name: target.name,
      type: kindOf(target),
      path: pathAt(target),
      mayDelete: target.mayDelete,
      mayRead: target.mayRead,
    })),
  };
  return JSON.stringify(settings, null, 2);
}

/** rclone's remotes; credentials are in files of their own, never here. */
export function rcloneConfiguration(
  targets: readonly Target[],
  credentials: (target: Target) => Record<string, string>,
): string {
  return targets
    .map((target) => {
      const options = { ...remote(target), ...credentials(target) };
      const lines = Object.entries(options).map(([key, value]) => `${key} = ${value}`);
      return [`[${target.name}]`, ...lines, ""].join("\n");
    })
    .join("\n");
}

function remote({ sftp, s3 }: Target): Record<string, string> {
  if (s3) {
    const { endpoint, location } = s3;
    return { type: "s3", provider: "Other", endpoint, region: location, env_auth: "true" };
  }
  if (sftp === undefined) throw new Error("a target of neither kind");
  return {
    ...{ type: "sftp", host: sftp.host, port: String(sftp.port), user: sftp.user },
    // Such an account has no shell, and its owner may forbid to change what is there.
    ...{ shell_type: "none", md5sum_command: "none", sha1sum_command: "none" },
    set_modtime: "false",
  };
}

/** OpenSSH's file of known hosts, with the pinned keys of SFTP targets alone. */
export function knownHosts(targets: readonly Target[]): string {
  return targets
    .flatMap(({ sftp }) => (sftp ? [sftp] : []))
    .map(({ host, port, hostKey }) => `${port === 22 ? host : `[${host}]:${port}`} ${hostKey}`)
    .join("\n");
}

/**
 * When the copies are made, in systemd's calendar: control planes take turns evenly, so that a
 * cluster of three loses a third of the interval at most.
 */
export function calendar(everyMinutes: number, index: number, count: number): string {
  const offset = Math.floor((everyMinutes * 60 * index) / count);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes, seconds] = [
    Math.floor(offset / 3600),
    Math.floor(offset / 60) % 60,
    offset % 60,
  ];
  if (everyMinutes === 1440) return `*-*-* ${two(hours)}:${two(minutes)}:${two(seconds)} UTC`;
  if (everyMinutes >= 60) {
    return `*-*-* ${two(hours)}/${everyMinutes / 60}:${two(minutes)}:${two(seconds)} UTC`;
  }
  return `*-*-* *:${two(minutes)}/${everyMinutes}:${two(seconds)} UTC`;
}

/** The units, which run as long as the machine does. */
export function timerUnits(config: Config, node: NodeConfig): Record<string, string> {
  const planes = config.nodes.filter(({ role }) => role === "control-plane");
  const when = calendar(config.backup.everyMinutes, planes.indexOf(node), planes.length);
  return {
    "/etc/systemd/system/oslo-cluster-backup.service": `[Unit]
Description=A copy of the cluster's state, away from its nodes
After=network-online.target containerd.service

[Service]
Type=oneshot
ExecStart=/bin/bash /usr/local/lib/oslo-cluster/backup.sh
TimeoutStartSec=3600
Nice=10
IOSchedulingClass=idle
`,
    "/etc/systemd/system/oslo-cluster-backup.timer": `[Unit]
Description=Copies of the cluster's state every ${config.backup.everyMinutes} minutes

[Timer]
OnCalendar=${when}
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
`,
  };
}
