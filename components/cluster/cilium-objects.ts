import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CiliumObjects as Plan } from "../../plan/cilium-objects/objects.ts";
import type { Manifest } from "../../plan/manifest.ts";

type Make = (name: string, args: never, opts: pulumi.CustomResourceOptions) => pulumi.Resource;

/** Kubernetes' own kinds that the plan uses. */
const kinds: Record<string, Make> = {
  ConfigMap: (...args) => new k8s.core.v1.ConfigMap(...args),
  DaemonSet: (...args) => new k8s.apps.v1.DaemonSet(...args),
  Service: (...args) => new k8s.core.v1.Service(...args),
  ServiceAccount: (...args) => new k8s.core.v1.ServiceAccount(...args),
};

/** Addresses of services, BGP, redirections and policies: what needs Cilium's own kinds. */
export class CiliumObjects extends pulumi.ComponentResource {
  constructor(name: string, plan: Plan, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:CiliumObjects", name, {}, opts);
    const child = { parent: this, deletedWith: opts?.deletedWith };
    const workload = plan.workload.map((manifest) => {
      const { apiVersion: _, kind, ...args } = manifest;
      const make = kinds[kind];
      if (make === undefined) throw new pulumi.ResourceError(`no resource of kind ${kind}`, this);
      return make(nameOf(manifest), args as never, child);
    });
    for (const manifest of plan.objects) {
      new k8s.apiextensions.CustomResource(nameOf(manifest), manifest, {
        ...child,
        dependsOn: workload,
      });
    }
    this.registerOutputs();
  }
}

/** Objects of several kinds share a name: `ciliumnetworkpolicy/finance/default-deny`. */
function nameOf({ kind, metadata }: Manifest): string {
  return [kind.toLowerCase(), metadata.namespace, metadata.name].filter(Boolean).join("/");
}
