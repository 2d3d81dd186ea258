import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { Membership } from "../node/membership.ts";
import type { Node } from "../node/node.ts";
import { createHypervisors, createNodes } from "../node/nodes.ts";
import { Baseline } from "./baseline.ts";
import { Cilium } from "./cilium.ts";
import { CiliumObjects } from "./cilium-objects.ts";
import { ControlPlane } from "./control-plane.ts";
import { Datapath } from "./datapath.ts";
import { Gates } from "./gates.ts";
import { Gateway, GatewayApiCrds } from "./gateway-api.ts";
import { Namespaces } from "./namespaces.ts";
import { Verification } from "./verification.ts";

/** A cluster, from machines that answer SSH to a gateway that takes routes. */
export class Cluster extends pulumi.ComponentResource {
  readonly kubeconfig: pulumi.Output<string>;
  readonly gates: Gates["readings"];
  /** Per hypervisor, what its preflight measured. */
  readonly hypervisors: pulumi.Output<Record<string, Record<string, unknown>>>;
  readonly datapath: Datapath["reading"];
  readonly identity: ControlPlane["identity"];

  constructor(name: string, plan: ClusterPlan, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Cluster", name, {}, opts);
    const child = { parent: this };

    const hypervisors = createHypervisors(plan, child);
    const nodes = createNodes(plan, hypervisors, child);
    const gates = new Gates("gates", nodes, child);
    const bases = new Map(
      nodes.map((node) => [
        node,
        new Baseline(`${node.plan.name}-baseline`, { node, after: gates.passed }, child),
      ]),
    );
    const base = (node: Node) => bases.get(node)?.done ?? [];
    const images = [...bases.values()].map((baseline) => baseline.images);
    const kernels = [...bases.values()].map((baseline) => baseline.kernel);
    const datapath = new Datapath("datapath", { plan, nodes, after: kernels }, child);

    const first = nodes.find((node) => node.plan.role === "control-plane") as Node;
    const controlPlane = new ControlPlane(
      "control-plane",
      {
        clusterName: plan.name,
        endpoint: plan.endpoint,
        node: first,
        after: [...base(first), ...datapath.proven],
      },
      child,
    );
    // Side by side, and beside Cilium: a worker needs the API server, not the network.
    const workers = nodes
      .filter((node) => node.plan.role === "worker")
      .map((node) => {
        const { initialized } = controlPlane;
        const args = { cluster: plan, node, controlPlane: first, initialized, after: base(node) };
        return new Membership(`${node.plan.name}-membership`, args, child);
      });

    const inCluster = { parent: this, ...apiAccess(plan.name, controlPlane, this) };
    const crds = new GatewayApiCrds("gateway-api-crds", plan.gatewayApi, inCluster);
    const cilium = new Cilium(
      "cilium-cni",
      { plan: plan.cilium, mode: datapath.mode },
      { ...inCluster, dependsOn: crds.crds },
    );
    const namespaces = new Namespaces("namespaces", plan.namespaces, inCluster);
    const gateway = new Gateway("gateway", plan.gatewayApi, {
      ...inCluster,
      dependsOn: [cilium.release, ...namespaces.all],
    });
    const joined = workers.map((worker) => worker.joined);
    const machines = workers.map((worker) => worker.id);
    const ready = first.step("ready", [cilium.release, ...joined, ...images], machines);
    // Their kinds are there once Cilium's operator has run.
    const objects = new CiliumObjects("cilium-objects", plan.ciliumObjects, {
      ...inCluster,
      dependsOn: [ready, ...namespaces.all],
    });
    if (plan.verify.afterUp) {
      const after = [ready, gateway, objects];
      const { kubeconfig, initialized } = controlPlane;
      const args = { plan, kubeconfig, after };
      new Verification("verification", args, { parent: this, deletedWith: initialized });
    }

    this.kubeconfig = controlPlane.kubeconfig;
    this.gates = gates.readings;
    this.hypervisors = pulumi.all(
      Object.fromEntries(
        hypervisors.map(({ plan: { name }, preflight }) => [
          name,
          preflight.stdout.apply((text): Record<string, unknown> => JSON.parse(text)),
        ]),
      ),
    );
    this.datapath = datapath.reading;
    this.identity = controlPlane.identity;
    this.registerOutputs({
      kubeconfig: this.kubeconfig,
      gates: this.gates,
      datapath: this.datapath,
      identity: this.identity,
    });
  }
}

/** What lives in the cluster goes with it: at destroy no API server is asked, so a dead one holds nothing up. */
function apiAccess(
  clusterName: string,
  { kubeconfig, initialized }: ControlPlane,
  parent: pulumi.Resource,
) {
  const provider = new k8s.Provider(
    "api",
    {
      kubeconfig,
      // Known in every preview: an unknown one would show all that is in the cluster as replaced.
      clusterIdentifier: clusterName,
      enableServerSideApply: true,
      // An `up` that was killed, or lost its state, finds what it had made and takes it up again.
      upsertExistingObjects: true,
    },
    { parent },
  );
  return { providers: { kubernetes: provider }, deletedWith: initialized };
}
