import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { createLeave } from "../node/membership.ts";
import type { Node } from "../node/node.ts";

export interface WorkersArgs {
  plan: Pick<ClusterPlan, "drainTimeoutSeconds">;
  nodes: Node[];
  controlPlanes: Node[];
  /** The whole cluster is removed with it. */
  cluster: pulumi.Resource;
  /** What must be done before a node joins. */
  after: (node: Node) => pulumi.Input<pulumi.Resource>[];
}

export interface Workers {
  joined: pulumi.Resource[];
  /** Other ones for each machine that has joined. */
  ids: pulumi.Output<string>[];
}

/** Workers join side by side, and leave before their machines are given back or re-created. */
export function createWorkers({ nodes, after, ...args }: WorkersArgs): Workers {
  const workers = nodes.map((node) => {
    const leave = createLeave({ ...args, node });
    // Who has left joins again, also where the machine is the one that it was.
    const joined = node.join("join", args.controlPlanes, after(node), [leave.id]);
    return { joined, id: leave.id };
  });
  return { joined: workers.map(({ joined }) => joined), ids: workers.map(({ id }) => id) };
}
