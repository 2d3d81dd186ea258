import * as pulumi from "@pulumi/pulumi";
import { requireAgent } from "./components/agent.ts";
import { Cluster } from "./components/cluster/cluster.ts";
import { requireQuorum } from "./components/quorum.ts";
import { quietenSdk } from "./components/sdk.ts";
import { loadConfig, project } from "./config/load.ts";
import { plan } from "./plan/plan.ts";
import { controlPlanesOf } from "./plan/quorum.ts";

quietenSdk();

// Every section of the stack's file, misspelt ones too: the check names them.
const stackConfig = new pulumi.Config(project);
const sections = Object.keys(pulumi.runtime.allConfig())
  .filter((key) => key.startsWith(`${project}:`))
  .map((key) => key.slice(project.length + 1));
const source = `Pulumi.${pulumi.getStack()}.yaml`;
const config = loadConfig(
  Object.fromEntries(sections.map((key) => [key, stackConfig.getObject(key)])),
  source,
);

if (!pulumi.runtime.isDryRun()) requireAgent();
const clusterPlan = plan(config);
await requireQuorum(controlPlanesOf(clusterPlan.nodes), source);
const cluster = new Cluster(config.cluster.name, clusterPlan);

/** What this very cluster is called, in words: another after a destroy, though of the same name. */
export const id = cluster.id;
/** The API server, https://host:port. */
export const endpoint = `https://${clusterPlan.endpoint}`;
/** For kubectl; asks for a certificate of one hour over SSH at each use. */
export const kubeconfig = pulumi.secret(cluster.kubeconfig);
/** What the gates measured, by node. */
export const gates = cluster.gates;
/** What the next change of the control planes is held against: who they are, by name. */
export const controlPlanes = cluster.controlPlanes;
/** What hypervisors had left when their guests were planned, by hypervisor. */
export const hypervisors = cluster.hypervisors;
/** What passes between the nodes, and the mode that Cilium's load balancer has for it. */
export const datapath = cluster.datapath;
/** What SFTP targets of backups must let in, by control plane. */
export const backupKeys = cluster.backupKeys;
/** What runs. */
export const versions = {
  kubernetes: cluster.identity.apply((identity) => identity.version),
  containerd: config.kubernetes.containerd.packageVersion,
  cilium: config.cilium.version,
  gatewayApi: config.gatewayApi.enabled ? config.gatewayApi.version : undefined,
};
