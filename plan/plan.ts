import type { Config, NodeConfig } from "../config/config.ts";
import { type CiliumPlan, ciliumPlan } from "./cilium.ts";
import { containerdStep } from "./containerd.ts";
import { etcdDiskGate, hostGate, peersGate } from "./gates.ts";
import { gatewayApiCrds } from "./gateway-api/crds.ts";
import { gatewayNamespaces, gatewayObjects } from "./gateway-api/objects.ts";
import { swapStep, timeSyncStep } from "./host.ts";
import { imagesStep } from "./images.ts";
import { kernelStep } from "./kernel.ts";
import { endpoint, kubeadmInitStep, kubeadmJoinStep } from "./kubeadm.ts";
import { kubeletStep } from "./kubelet.ts";
import type { Manifest } from "./manifest.ts";
import { packagesStep, prerequisitesStep } from "./packages.ts";
import { readyStep } from "./ready.ts";
import type { StepDocument, StepName } from "./step.ts";

/** How a node is reached; public facts only. */
export interface Reach {
  host: string;
  port: number;
  user: string;
  hostKey: string;
}

/** Everything that will be on one node. */
export interface NodePlan {
  name: string;
  role: NodeConfig["role"];
  addresses: string[];
  reach: Reach;
  /** In the order in which a person would do them. */
  steps: Partial<Record<StepName, StepDocument>>;
}

/** Everything that will be on the nodes and in the cluster, as plain data. */
export interface ClusterPlan {
  name: string;
  /** host:port of the API server. */
  endpoint: string;
  dial: { timeoutSeconds: number; attempts: number };
  bastion?: Reach;
  nodes: NodePlan[];
  cilium: CiliumPlan;
  gatewayApi: { crds: Manifest[]; namespaces: Manifest[]; objects: Manifest[] };
}

/** What will be where, byte for byte. Pure: the same configuration gives the same plan. */
export function plan(config: Config): ClusterPlan {
  return {
    name: config.cluster.name,
    endpoint: endpoint(config),
    dial: { timeoutSeconds: config.ssh.dialTimeoutSeconds, attempts: config.ssh.dialAttempts },
    ...(config.ssh.bastion ? { bastion: config.ssh.bastion } : {}),
    nodes: config.nodes.map((node) => nodePlan(config, node)),
    cilium: ciliumPlan(config),
    gatewayApi: {
      crds: config.gatewayApi.enabled ? gatewayApiCrds(config.gatewayApi.version) : [],
      namespaces: gatewayNamespaces(config),
      objects: gatewayObjects(config),
    },
  };
}

function nodePlan(config: Config, node: NodeConfig): NodePlan {
  const isControlPlane = node.role === "control-plane";
  const documents = [
    prerequisitesStep(node),
    hostGate(config, node),
    ...(isControlPlane ? [etcdDiskGate(config)] : []),
    ...(config.nodes.length > 1 ? [peersGate(config, node)] : []),
    kernelStep(config),
    swapStep(),
    timeSyncStep(config),
    packagesStep(config),
    containerdStep(config),
    imagesStep(config),
    kubeletStep(config, node),
    isControlPlane ? kubeadmInitStep(config, node) : kubeadmJoinStep(config, node),
    ...(isControlPlane ? [readyStep(config)] : []),
  ];
  const { host, port, user, hostKey } = node.ssh;
  return {
    name: node.name,
    role: node.role,
    addresses: node.addresses,
    reach: { host, port, user, hostKey },
    steps: Object.fromEntries(
      documents.map((document) => [
        document.step,
        { ...document, vars: { CLUSTER: config.cluster.name, ...document.vars } },
      ]),
    ),
  };
}
