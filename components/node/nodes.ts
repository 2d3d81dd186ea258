import type * as pulumi from "@pulumi/pulumi";
import type { GuestPlan } from "../../plan/libvirt/guest.ts";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { Hypervisor } from "../libvirt/hypervisor.ts";
import { KvmVps } from "../libvirt/kvm-vps.ts";
import { Node } from "./node.ts";

/**
 * The nodes of both sources, in the plan's order: machines that exist, and KVM guests that are made.
 * What follows treats them alike.
 */
export function createNodes(
  plan: Pick<ClusterPlan, "name" | "dial" | "bastion" | "hypervisors" | "nodes">,
  opts: pulumi.ComponentResourceOptions,
): Node[] {
  const hypervisors = plan.hypervisors.map(
    (hypervisor) => new Hypervisor(hypervisor.name, { cluster: plan, hypervisor }, opts),
  );
  // All of them, before anything is made on one.
  const measured = hypervisors.map(({ preflight }) => preflight);
  const ground = new Map(
    hypervisors.map((hypervisor) => {
      const after = hypervisor.prepare(measured);
      return [hypervisor.reach.name, { hypervisor, after }];
    }),
  );
  return plan.nodes.map((node) => {
    const stand = node.guest && ground.get(node.guest.hypervisor);
    if (!isGuest(node) || !stand) return new Node(node.name, { cluster: plan, node }, opts);
    const guest = new KvmVps(`${node.name}-vps`, { cluster: plan, node, ...stand }, opts);
    return new Node(node.name, { cluster: plan, node, guest }, opts);
  });
}

function isGuest(node: NodePlan): node is NodePlan & { guest: GuestPlan } {
  return node.guest !== undefined;
}
