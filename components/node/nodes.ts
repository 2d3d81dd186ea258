import type * as pulumi from "@pulumi/pulumi";
import type { GuestPlan } from "../../plan/libvirt/guest.ts";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { barrier } from "../barrier.ts";
import { Hypervisor } from "../libvirt/hypervisor.ts";
import { KvmVps } from "../libvirt/kvm-vps.ts";
import { PrivateVlan } from "../libvirt/private-vlan.ts";
import { Node } from "./node.ts";

type Plan = Pick<ClusterPlan, "name" | "dial" | "bastion" | "hypervisors" | "nodes">;
type Guest = NodePlan & { guest: GuestPlan };

/**
 * The nodes of both sources, in the plan's order: machines that exist, and KVM guests that are made.
 * What follows treats them alike.
 */
export function createNodes(
  plan: Plan,
  hypervisors: Hypervisor[],
  opts: pulumi.ComponentResourceOptions,
): Node[] {
  const guests = createGuests(plan, hypervisors, opts);
  const booted = [...guests.values()].map((guest) => guest.booted);
  const after = booted.length > 0 ? [barrier("booted", booted, opts)] : [];
  return plan.nodes.map((node) => {
    const guest = guests.get(node.name);
    const args = { cluster: plan, node, after, ...(guest ? { guest } : {}) };
    return new Node(node.name, args, opts);
  });
}

export function createHypervisors(plan: Plan, opts: pulumi.ComponentResourceOptions): Hypervisor[] {
  return plan.hypervisors.map(
    (hypervisor) => new Hypervisor(hypervisor.name, { cluster: plan, hypervisor }, opts),
  );
}

function createGuests(
  plan: Plan,
  hypervisors: Hypervisor[],
  opts: pulumi.ComponentResourceOptions,
): Map<string, KvmVps> {
  if (hypervisors.length === 0) return new Map();
  // All hypervisors are measured before anything is made on one. From there each continues by itself: what
  // a dead one keeps holds nothing up on the others.
  const measured = hypervisors.map(({ preflight }) => preflight);
  const images = new Map(hypervisors.map((one) => [one.plan.name, one.image(measured)]));
  const vlan = new PrivateVlan("vlan", { hypervisors, after: measured }, opts);
  const guests = plan.nodes.filter((node): node is Guest => node.guest !== undefined);
  return new Map(
    guests.map((node) => {
      const hypervisor = hypervisors.find(({ plan: { name } }) => name === node.guest.hypervisor);
      const bridge = vlan.on.get(node.guest.hypervisor);
      const image = images.get(node.guest.hypervisor);
      if (!hypervisor || !bridge || !image)
        throw new Error(`${node.name}: no ${node.guest.hypervisor}`);
      const args = { cluster: plan, node, hypervisor, after: [image, bridge] };
      return [node.name, new KvmVps(`${node.name}-vps`, args, opts)];
    }),
  );
}
