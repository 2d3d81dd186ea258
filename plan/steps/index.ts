import type { Config, NodeConfig } from "../../config/config.ts";
import { type Step, type StepDocument, step } from "../step.ts";
import { apiBalancer } from "./api-balancer.ts";
import { certificateRenewal } from "./certificate-renewal.ts";
import { containerd } from "./containerd.ts";
import { controlPlane } from "./control-plane.ts";
import { etcdBackup } from "./etcd-backup.ts";
import { gateEtcdDisk } from "./gate-etcd-disk.ts";
import { gateGuest } from "./gate-guest.ts";
import { gateHost } from "./gate-host.ts";
import { gatePeers } from "./gate-peers.ts";
import { images } from "./images.ts";
import { kernel } from "./kernel.ts";
import { kubeadmJoin } from "./kubeadm-join.ts";
import { kubelet } from "./kubelet.ts";
import { kubeletApprover } from "./kubelet-approver.ts";
import { operatorNames } from "./operator-names.ts";
import { packages } from "./packages.ts";
import { prerequisites } from "./prerequisites.ts";
import { serviceAccounts } from "./service-accounts.ts";
import { swap } from "./swap.ts";
import { timeSync } from "./time-sync.ts";
import { virtualAddress } from "./virtual-address.ts";

/** Every step of a node, in the order in which a person would do them. */
export const steps = [
  prerequisites,
  gateHost,
  gateEtcdDisk,
  gateGuest,
  gatePeers,
  kernel,
  swap,
  timeSync,
  apiBalancer,
  packages,
  containerd,
  kubeletApprover,
  kubelet,
  images,
  operatorNames,
  // The last of their resources: what a join needs follows the last document.
  controlPlane,
  kubeadmJoin,
  serviceAccounts,
  etcdBackup,
  virtualAddress,
  certificateRenewal,
] as const satisfies readonly Step[];

export type StepName = (typeof steps)[number]["name"];

/** The documents of a node's steps, in order. */
export function stepDocuments(config: Config, node: NodeConfig): Record<string, StepDocument> {
  return Object.fromEntries(
    stepsOf(config, node).map(({ name, document }) => {
      const { vars, files = {} } = document(config, node);
      return [name, step(name, { CLUSTER: config.cluster.name, ...vars }, files)];
    }),
  );
}

/**
 * What each resource of a node runs: its steps in order, and beside one another those that may be.
 * @example { claim: [["prerequisites", "gate-host"], ["gate-peers"]] }
 */
export function stepResources(config: Config, node: NodeConfig): Record<string, string[][]> {
  const resources: Record<string, string[][]> = {};
  for (const { name, resource, beside } of stepsOf(config, node)) {
    const key = typeof resource === "string" ? resource : resource(node);
    const order = resources[key] ?? [];
    resources[key] = order;
    if (beside) order.at(-1)?.push(name);
    else order.push([name]);
  }
  return resources;
}

function stepsOf(config: Config, node: NodeConfig): Step[] {
  return steps.filter(({ on }: Step) => on?.(config, node) ?? true);
}
