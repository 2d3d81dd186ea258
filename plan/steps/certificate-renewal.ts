import { hostPort } from "../../config/cidr.ts";
import type { Config, NodeConfig } from "../../config/config.ts";
import { minutesOf } from "../../config/duration.ts";
import { calendar } from "../backup.ts";
import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

const unit = "/etc/systemd/system/oslo-cluster-certificates";

/** Intervals that divide an hour or a day, in minutes. */
const intervals = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720];

/** kubeadm's certificates of a control plane, renewed by a timer long before they end. */
export const certificateRenewal = defineStep({
  name: "certificate-renewal",
  resource: "upkeep",
  on: (_, { role }) => role === "control-plane",
  document: (config, node) => ({ files: units(config, node) }),
  effects: {
    default: effect(
      "live",
      "the timer that renews certificates restarts; what it renews restarts one component at a time",
    ),
  },
});

/** How often it is looked whether something is to be renewed: a hundred and twenty times before it is late. */
export function renewalMinutes({ certificates }: Config["kubernetes"]): number {
  const wanted = minutesOf(certificates.renewBefore) / 120;
  return intervals.findLast((minutes) => minutes <= wanted) ?? 1;
}

function units(config: Config, node: NodeConfig): Record<string, string> {
  const planes = config.nodes.filter(({ role }) => role === "control-plane");
  const minutes = renewalMinutes(config.kubernetes);
  const when = calendar(minutes, planes.indexOf(node), planes.length);
  const own = hostPort(node.addresses[0] as string, config.cluster.endpoint.port);
  return {
    [`${unit}.service`]: `[Unit]
Description=Renews this control plane's certificates before they end
After=network-online.target containerd.service kubelet.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/bash /usr/local/lib/oslo-cluster/renew-certificates.sh
Environment=NODE=${node.name} READYZ=https://${own}/readyz
Environment=RENEW_BEFORE=${minutesOf(config.kubernetes.certificates.renewBefore) * 60}
# Less than the lease of its turn in etcd.
TimeoutStartSec=1500
# A run that failed or was killed is taken up again, and not half a day later.
Restart=on-failure
RestartSec=300
SyslogLevel=notice
LogLevelMax=notice
`,
    [`${unit}.timer`]: `[Unit]
Description=Looks for certificates that end soon, every ${minutes} minutes

[Timer]
OnCalendar=${when}
AccuracySec=1s
Persistent=true
# Also after a loss of power in a run; and not while an \`up\` still works.
OnActiveSec=10min

[Install]
WantedBy=timers.target
`,
  };
}
