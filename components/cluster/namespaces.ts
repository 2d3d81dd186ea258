import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Manifest } from "../../plan/manifest.ts";

/** Namespaces of gateways, routes and policies. Other things live there as well: none is ever deleted. */
export class Namespaces extends pulumi.ComponentResource {
  readonly all: pulumi.Resource[];

  constructor(name: string, plan: readonly Manifest[], opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Namespaces", name, {}, opts);
    const { parent, deletedWith } = opts ?? {};
    // Where they were before policies had a part in them.
    const former =
      parent &&
      pulumi.createUrn("gateway", "oslo-cluster:index:Gateway", parent as pulumi.Resource);
    this.all = plan.map(
      ({ metadata }) =>
        new k8s.core.v1.Namespace(
          metadata.name,
          { metadata },
          {
            parent: this,
            deletedWith,
            retainOnDelete: true,
            aliases: former ? [{ parent: former }] : [],
          },
        ),
    );
    this.registerOutputs();
  }
}
