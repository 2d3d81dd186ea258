import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";

type Plan = ClusterPlan["gatewayApi"];

/** The CRDs. They come before Cilium: its operator looks for them once, at its start. */
export class GatewayApiCrds extends pulumi.ComponentResource {
  readonly crds: pulumi.Resource[];

  constructor(name: string, plan: Plan, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:GatewayApiCrds", name, {}, opts);
    const child = { parent: this, deletedWith: opts?.deletedWith };
    this.crds = plan.crds.map(
      ({ apiVersion: _, kind: __, ...crd }) =>
        new k8s.apiextensions.v1.CustomResourceDefinition(
          crd.metadata.name,
          crd as unknown as k8s.apiextensions.v1.CustomResourceDefinitionArgs,
          child,
        ),
    );
    this.registerOutputs();
  }
}

/** The gateways, their routes, and grants for references across namespaces. */
export class Gateway extends pulumi.ComponentResource {
  constructor(name: string, plan: Plan, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Gateway", name, {}, opts);
    const child = { parent: this, deletedWith: opts?.deletedWith };
    for (const { metadata, ...object } of plan.objects) {
      new k8s.apiextensions.CustomResource(
        `${metadata.namespace}/${metadata.name}`,
        { ...object, metadata },
        child,
      );
    }
    this.registerOutputs();
  }
}
