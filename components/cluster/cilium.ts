import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CiliumPlan } from "../../plan/cilium.ts";

/** Cilium by its own chart, through real Helm: hooks run, and a preview works while the API is down. */
export class Cilium extends pulumi.ComponentResource {
  readonly release: k8s.helm.v3.Release;

  constructor(name: string, plan: CiliumPlan, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Cilium", name, {}, opts);
    this.release = new k8s.helm.v3.Release(
      "cilium",
      {
        name: "cilium",
        namespace: plan.namespace,
        chart: "cilium",
        version: plan.version,
        repositoryOpts: { repo: plan.repository },
        values: plan.values,
        // The step \`ready\` waits, and can be run again. A Helm that is killed while it waits leaves a
        // release that no later install may take.
        skipAwait: true,
        timeout: plan.timeoutSeconds,
      },
      { parent: this, deletedWith: opts?.deletedWith },
    );
    this.registerOutputs();
  }
}
