import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type CiliumPlan, type LoadBalancerMode, withMode } from "../../plan/cilium.ts";

export interface CiliumArgs {
  plan: CiliumPlan;
  /** What the network between the nodes allows, which may be less than the plan wants. */
  mode: pulumi.Output<LoadBalancerMode>;
}

/** Cilium by its own chart, through real Helm: hooks run, and a preview works while the API is down. */
export class Cilium extends pulumi.ComponentResource {
  readonly release: k8s.helm.v3.Release;

  constructor(name: string, { plan, mode }: CiliumArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Cilium", name, {}, opts);
    this.release = new k8s.helm.v3.Release(
      "cilium",
      {
        name: "cilium",
        namespace: plan.namespace,
        chart: "cilium",
        version: plan.version,
        repositoryOpts: { repo: plan.repository },
        values: mode.apply((allowed) => withMode(plan.values, allowed)),
        // The step `ready` waits, and can be run again. A Helm that is killed while it waits leaves a
        // release that no later install may take.
        skipAwait: true,
        timeout: plan.timeoutSeconds,
      },
      { parent: this, deletedWith: opts?.deletedWith },
    );
    this.registerOutputs();
  }
}
