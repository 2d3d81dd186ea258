import * as pulumi from "@pulumi/pulumi";
import { RandomPet } from "@pulumi/random";
import type { ClusterPlan } from "../../plan/plan.ts";
import { type ControlPlanes, controlPlanesOf } from "../../plan/quorum.ts";
import { barrier } from "../barrier.ts";
import type { Node } from "../node/node.ts";
import { createHypervisors, createNodes } from "../node/nodes.ts";
import { apiAccess } from "./api.ts";
import { Cilium } from "./cilium.ts";
import { CiliumObjects } from "./cilium-objects.ts";
import { ControlPlane } from "./control-plane.ts";
import { Datapath } from "./datapath.ts";
import { createEndpoint } from "./endpoint.ts";
import { createGates } from "./gates.ts";
import { Gateway, GatewayApiCrds } from "./gateway-api.ts";
import { Namespaces } from "./namespaces.ts";
import { createReady } from "./ready.ts";
import { Verification } from "./verification.ts";
import { createWorkers } from "./workers.ts";

/** A cluster, from machines that answer SSH to a gateway that takes routes. */
export class Cluster extends pulumi.ComponentResource {
  /**
   * A name that this very cluster keeps for as long as its stack lives; one that is made again under the
   * same `cluster.name` has another. Public, in no document of the plan.
   */
  readonly id: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  /** Per node, what its gates have measured. */
  readonly gates: pulumi.Output<Record<string, Record<string, unknown>>>;
  /** Known once each of them is one. */
  readonly controlPlanes: pulumi.Output<ControlPlanes>;
  /** Per hypervisor, what its preflight measured. */
  readonly hypervisors: pulumi.Output<Record<string, Record<string, unknown>>>;
  readonly datapath: Datapath["reading"];
  /** Per control plane, the public key that it logs in with at SFTP targets; none without targets. */
  readonly backupKeys: pulumi.Output<Record<string, string>>;
  readonly identity: ControlPlane["identity"];

  constructor(name: string, plan: ClusterPlan, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Cluster", name, {}, opts);
    const child = { parent: this };

    const hypervisors = createHypervisors(plan, child);
    const nodes = createNodes(plan, hypervisors, child);
    const controlPlanes = nodes.filter((node) => node.plan.role === "control-plane");
    const gates = createGates(nodes, child);
    // Before packets are tried out between the nodes: rp_filter would drop them.
    const bases = new Map(nodes.map((node) => [node, node.run("base", [gates])]));
    const runtimes = new Map(nodes.map((node) => [node, node.run("runtime", [gates])]));
    const built = (node: Node) =>
      [bases.get(node), runtimes.get(node)].filter((one) => one !== undefined);
    const images = controlPlanes.map((node) => node.run("images", built(node)));
    const datapath = new Datapath(
      "datapath",
      { plan, nodes, after: [barrier("bases", [...bases.values()], child)] },
      child,
    );

    const endpoint = createEndpoint({ plan, nodes, after: [gates] }, child);

    // Every balancer lists a control plane before it is one, and every kubelet of a living cluster has a
    // serving certificate before an API server verifies it.
    const listed = barrier("balancers", [...runtimes.values()], child);
    // From before there is anything of it, so that whatever is there of it is removed with it.
    const cluster = barrier("cluster", [], child);
    const controlPlane = new ControlPlane(
      "control-plane",
      {
        plan,
        nodes: controlPlanes,
        workers: nodes.filter((node) => node.plan.role === "worker"),
        cluster,
        after: (node) => [...built(node), listed, ...datapath.proven, endpoint],
      },
      child,
    );
    // Backups by timers, which no one waits for, and the virtual address, which all that is in the cluster needs.
    const upkeep = controlPlanes.map((node, i) =>
      node.run("upkeep", controlPlane.joined.slice(i, i + 1)),
    );
    const reachable = plan.endpointTry.virtualAddress === undefined ? [] : upkeep.slice(0, 1);
    // Side by side, and beside Cilium: a worker needs the API server, not the network.
    const workers = createWorkers({
      plan,
      nodes: nodes.filter((node) => node.plan.role === "worker"),
      controlPlanes,
      cluster,
      after: (node) => [...built(node), controlPlane.serving],
    });
    const joined = barrier("joined", [...controlPlane.joined, ...workers.joined, ...images], child);

    const inCluster = {
      parent: this,
      ...apiAccess(plan.name, controlPlane.kubeconfig, { parent: this, dependsOn: reachable }),
      // What lives there is removed with it: at destroy no API server is asked, so a dead one holds nothing up.
      deletedWith: cluster,
    };
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
    const ready = createReady(
      {
        document: plan.ready,
        controlPlanes,
        since: [...controlPlane.ids, ...workers.ids],
      },
      { parent: this, dependsOn: [cilium.release, joined], deletedWith: cluster },
    );
    // Their kinds are there once Cilium's operator has run.
    const objects = new CiliumObjects("cilium-objects", plan.ciliumObjects, {
      ...inCluster,
      dependsOn: [ready, ...namespaces.all],
    });
    if (plan.verify.afterUp) {
      const after = [ready, gateway, objects];
      const args = { plan, kubeconfig: controlPlane.kubeconfig, after };
      new Verification("verification", args, { parent: this, deletedWith: cluster });
    }

    this.id = new RandomPet("id", { length: 3 }, child).id;
    this.kubeconfig = controlPlane.kubeconfig;
    this.gates = pulumi.output(
      Object.fromEntries(nodes.map((node) => [node.plan.name, node.readings])),
    );
    this.controlPlanes = pulumi
      .all(controlPlane.joined.map(({ urn }) => urn))
      .apply(() => controlPlanesOf(plan.nodes));
    this.hypervisors = pulumi.all(
      Object.fromEntries(
        hypervisors.map(({ plan: { name }, preflight }) => [
          name,
          preflight.stdout.apply((text): Record<string, unknown> => JSON.parse(text)),
        ]),
      ),
    );
    this.backupKeys = pulumi
      .all(upkeep.map(({ stdout }) => stdout))
      .apply((readings) => backupKeys(controlPlanes, readings));
    this.datapath = datapath.reading;
    this.identity = controlPlane.identity;
    this.registerOutputs({
      id: this.id,
      kubeconfig: this.kubeconfig,
      gates: this.gates,
      datapath: this.datapath,
      identity: this.identity,
    });
  }
}

function backupKeys(nodes: Node[], readings: string[]): Record<string, string> {
  const keys = readings.map((text) => {
    const { "etcd-backup": own } = JSON.parse(text || "{}") as {
      "etcd-backup"?: { publicKey?: string };
    };
    return own?.publicKey;
  });
  return Object.fromEntries(
    nodes.flatMap(({ plan: { name } }, i) => (keys[i] === undefined ? [] : [[name, keys[i]]])),
  );
}
