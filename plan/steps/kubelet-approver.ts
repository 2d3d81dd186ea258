import { hexadecimal } from "../../config/cidr.ts";
import type { Config, NodeConfig } from "../../config/config.ts";
import { effect } from "../effect.ts";
import { directory, localEndpoint } from "../kubeadm.ts";
import { defineStep } from "../step.ts";
import { renderYaml } from "../yaml.ts";

const user = "oslo-cluster:kubelet-approver";
const unit = "oslo-cluster-kubelet-approver.service";

/**
 * Serving certificates of kubelets, approved by the plan alone: Kubernetes itself approves none, and what
 * a Node object says of its addresses is the kubelet's own word.
 */
export const kubeletApprover = defineStep({
  name: "kubelet-approver",
  resource: "runtime",
  on: (_, { role }) => role === "control-plane",
  document: (config) => ({
    files: {
      [`${directory}/kubelets.json`]: JSON.stringify(kubelets(config.nodes), null, 2),
      [`${directory}/kubelet-approver.yaml`]: renderYaml(...rights),
      [`/etc/systemd/system/${unit}`]: service(config),
    },
  }),
  effects: {
    default: effect(
      "live",
      "the approver of kubelets' serving certificates restarts; certificates that were approved stay",
    ),
  },
});

/**
 * By node, the names that its certificate may have: as people write them, and as they are encoded in a
 * request (GeneralName of RFC 5280, in DER), which is what the node compares.
 */
function kubelets(nodes: Config["nodes"]): Record<string, Record<string, string>> {
  return Object.fromEntries(nodes.map((node) => [node.name, generalNames(node)]));
}

function generalNames({ name, addresses }: NodeConfig): Record<string, string> {
  const dns = Buffer.from(name).toString("hex");
  return Object.fromEntries([
    [`DNS:${name}`, encoded("82", dns)],
    ...addresses.map((address) => [`IP:${address}`, encoded("87", hexadecimal(address))]),
  ]);
}

/** A tag, the number of bytes, and these. */
function encoded(tag: string, bytes: string): string {
  return tag + (bytes.length / 2).toString(16).padStart(2, "0") + bytes;
}

const rbac = "rbac.authorization.k8s.io";
const certificates = "certificates.k8s.io";

/** All that the approver may do. */
const rights = [
  {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRole",
    metadata: { name: user },
    rules: [
      {
        apiGroups: [certificates],
        resources: ["certificatesigningrequests"],
        verbs: ["list", "watch"],
      },
      {
        apiGroups: [certificates],
        resources: ["certificatesigningrequests/approval"],
        verbs: ["update"],
      },
      {
        apiGroups: [certificates],
        resources: ["signers"],
        resourceNames: ["kubernetes.io/kubelet-serving"],
        verbs: ["approve"],
      },
    ],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: user },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: user },
    subjects: [{ apiGroup: rbac, kind: "User", name: user }],
  },
];

/** It is there before the cluster is, and tries until there is one. */
function service(config: Config): string {
  return `[Unit]
Description=Approves serving certificates of kubelets, by the plan alone
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/bash /usr/local/lib/oslo-cluster/approve-kubelets.sh
Environment=API=https://${localEndpoint(config)} APPROVER=${user}
RuntimeDirectory=oslo-cluster-kubelet-approver
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=restart
Restart=always
RestartSec=5
SyslogLevel=notice
LogLevelMax=notice
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true

[Install]
WantedBy=multi-user.target
`;
}
