import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { output } from "./process.ts";
import { machineReach, type NodeReach, nodeReach } from "./target.ts";

/**
 * The way to a node. A guest's host key is asked of its hypervisor, which made it and is itself pinned.
 * @throws Error where the hypervisor does not tell it.
 */
export async function reachNode(
  plan: ClusterPlan,
  node: NodePlan,
  run: (command: readonly string[]) => Promise<string> = output,
): Promise<NodeReach> {
  const { guest } = node;
  if (guest === undefined) return nodeReach(plan, node);
  const reach = reachHypervisor(plan, guest.hypervisor);
  const file = `${guest.guest.vars.DIRECTORY}/host-key.pub`;
  const hostKey = await run(["ssh", ...reach.sshArguments, reach.asRoot(`cat ${file}`)]);
  return nodeReach(plan, node, hostKey.trim());
}

/** The way to a hypervisor. */
export function reachHypervisor(plan: ClusterPlan, name: string): NodeReach {
  const hypervisor = plan.hypervisors.find((candidate) => candidate.name === name);
  if (hypervisor === undefined) throw new Error(`no hypervisor ${name}`);
  return machineReach(plan, hypervisor);
}
