import type { Config, NodeConfig } from "../config/config.ts";
import { type CiliumPlan, ciliumPlan } from "./cilium.ts";
import { type CiliumObjects, ciliumObjects } from "./cilium-objects/objects.ts";
import { type DatapathProbe, datapathProbe } from "./datapath-probe.ts";
import { type EndpointTry, endpointTry } from "./endpoint-try.ts";
import { gatewayApiCrds } from "./gateway-api/crds.ts";
import { gatewayObjects } from "./gateway-api/objects.ts";
import { endpoint, mintArguments } from "./kubeadm.ts";
import { type GuestPlan, guestPlan } from "./libvirt/guest.ts";
import { type HypervisorPlan, hypervisorPlan } from "./libvirt/hypervisor.ts";
import type { Manifest } from "./manifest.ts";
import { namespaces } from "./namespaces.ts";
import type { Reach } from "./reach.ts";
import { readyStep } from "./ready.ts";
import type { StepDocument } from "./step.ts";
import { stepDocuments, stepResources } from "./steps/index.ts";

/** Everything that will be on one node. */
export interface NodePlan {
  name: string;
  role: NodeConfig["role"];
  addresses: string[];
  /** What a control plane mints for it, as `oslo-step mint-join` takes it. */
  join: string;
  /** A guest's host key is known once its hypervisor has made it, before the first boot. */
  reach: Omit<Reach, "hostKey"> & { hostKey?: string };
  /** What its hypervisor holds of it; nothing where the machine exists already. */
  guest?: GuestPlan;
  /** In the order in which a person would do them. */
  steps: Record<string, StepDocument>;
  /** Which steps each resource of the node runs, as plan/steps/index.ts has them. */
  resources: Record<string, string[][]>;
}

/** Everything that will be on the nodes and in the cluster, as plain data. */
export interface ClusterPlan {
  name: string;
  /** host:port of the API server. */
  endpoint: string;
  /** How the operator's machine tries that out. */
  endpointTry: EndpointTry;
  dial: { timeoutSeconds: number; attempts: number };
  drainTimeoutSeconds: number;
  bastion?: Reach;
  hypervisors: HypervisorPlan[];
  nodes: NodePlan[];
  /** What passes between the nodes before Cilium is there; none where there is one node. */
  probe?: DatapathProbe;
  cilium: CiliumPlan;
  ciliumObjects: CiliumObjects;
  /** What `up` waits for; any control plane can be asked. */
  ready: StepDocument;
  namespaces: Manifest[];
  gatewayApi: { crds: Manifest[]; objects: Manifest[] };
  /** How the promises are proven. */
  verify: Config["verify"];
}

/** What will be where, byte for byte. Pure: the same configuration gives the same plan. */
export function plan(config: Config): ClusterPlan {
  return {
    name: config.cluster.name,
    endpoint: endpoint(config),
    endpointTry: endpointTry(config),
    dial: { timeoutSeconds: config.ssh.dialTimeoutSeconds, attempts: config.ssh.dialAttempts },
    drainTimeoutSeconds: config.kubernetes.drainTimeoutSeconds,
    ...(config.ssh.bastion ? { bastion: config.ssh.bastion } : {}),
    hypervisors: hypervisors(config),
    nodes: config.nodes.map((node) => nodePlan(config, node)),
    ...(config.nodes.length > 1 ? { probe: datapathProbe(config) } : {}),
    cilium: ciliumPlan(config),
    verify: config.verify,
    ciliumObjects: ciliumObjects(config),
    ready: readyStep(config),
    namespaces: namespaces(config),
    gatewayApi: {
      crds: config.gatewayApi.enabled ? gatewayApiCrds(config.gatewayApi.version) : [],
      objects: gatewayObjects(config),
    },
  };
}

function hypervisors(config: Config): HypervisorPlan[] {
  const { libvirt } = config;
  if (libvirt === undefined) return [];
  return libvirt.hypervisors.map((hypervisor) =>
    hypervisorPlan({ ...config, libvirt }, hypervisor),
  );
}

function nodePlan(config: Config, node: NodeConfig): NodePlan {
  return {
    name: node.name,
    role: node.role,
    addresses: node.addresses,
    join: mintArguments(node),
    reach: node.ssh,
    ...(node.guest && config.libvirt
      ? { guest: guestPlan({ ...config, libvirt: config.libvirt }, node, node.guest) }
      : {}),
    steps: stepDocuments(config, node),
    resources: stepResources(config, node),
  };
}
