import * as pulumi from "@pulumi/pulumi";
import type { Hypervisor } from "./hypervisor.ts";

export interface PrivateVlanArgs {
  hypervisors: Hypervisor[];
  /** What must have passed on every hypervisor before a device is made on one. */
  after: pulumi.Resource[];
}

/** One L2 domain across hypervisors: the VLAN's tag on each uplink, and a bridge for guests. */
export class PrivateVlan extends pulumi.ComponentResource {
  /** By hypervisor, what its guests need of it. */
  readonly on: ReadonlyMap<string, pulumi.Resource>;

  constructor(
    name: string,
    { hypervisors, after }: PrivateVlanArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-cluster:index:PrivateVlan", name, {}, opts);
    this.on = new Map(
      hypervisors.map((hypervisor) => {
        const { vlan } = hypervisor.plan;
        const resource = hypervisor.run(`${hypervisor.plan.name}-vlan`, vlan, {
          parent: this,
          dependsOn: after,
          left: { kind: "vlan", bridge: `${vlan.vars.BRIDGE}`, device: `${vlan.vars.VLAN_DEVICE}` },
        });
        return [hypervisor.plan.name, resource];
      }),
    );
    this.registerOutputs();
  }
}
