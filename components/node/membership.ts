import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import type { NodeReach } from "../../plan/reach.ts";
import type { Node } from "./node.ts";
import { ssh, unlessAbandoned } from "./ssh.ts";

export interface MembershipArgs {
  cluster: Pick<ClusterPlan, "drainTimeoutSeconds">;
  node: Node;
  /** Where the cluster is asked. */
  controlPlane: Node;
  /** With it goes the whole cluster, and nobody leaves one by one. */
  initialized: pulumi.Resource;
  /** What must be done on the node before it joins. */
  after: pulumi.Input<pulumi.Resource>[];
}

/**
 * A worker's place in the cluster: it joins, and before its machine is given back or made anew it is
 * cordoned and drained, and its Node object deleted.
 */
export class Membership extends pulumi.ComponentResource {
  readonly joined: pulumi.Resource;
  /** Another one for each machine that has joined. */
  readonly id: pulumi.Output<string>;

  constructor(name: string, args: MembershipArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Membership", name, {}, opts);
    const { node, controlPlane, initialized, after } = args;
    const leave = this.createLeave(args);
    this.id = leave.id;
    this.joined = node.stepWithSecret(
      "kubeadm-join",
      { on: controlPlane, command: "mint-join" },
      [...after, initialized],
      // Who has left joins again, also where the machine is the one that it was.
      [leave.id],
    );
    this.registerOutputs();
  }

  /**
   * Made before the join: one that fails half way leaves a Node object. Its trigger comes from a
   * resource that the machine stands on, so that the engine, which deletes that one before it makes
   * it anew, deletes this one first: while the old machine is there, and before the new one joins.
   * The engine may run the delete twice.
   */
  private createLeave({ cluster, node, controlPlane, initialized }: MembershipArgs) {
    return new command.local.Command(
      `${node.plan.name}-leave`,
      {
        create: ":",
        delete: controlPlane.reach.apply((reach) =>
          leaveCommand(node.plan.name, reach, cluster.drainTimeoutSeconds),
        ),
        triggers: [node.identity],
        logging: command.local.Logging.StdoutAndStderr,
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        deleteBeforeReplace: true,
        dependsOn: [node.claim, initialized],
        deletedWith: initialized,
      },
    );
  }
}

/** Fails in bounded time where the control plane is dead, and says how to go on. */
function leaveCommand(name: string, reach: NodeReach, drainTimeoutSeconds: number): string {
  const leave = `/usr/local/lib/oslo-cluster/oslo-step leave ${name} ${drainTimeoutSeconds}`;
  const limit = drainTimeoutSeconds + 300;
  const left = `in the cluster: node ${name}, not drained (${reach.name} is abandoned by OSLO_CLUSTER_ABANDON)`;
  const call = `timeout ${limit} ${ssh(reach, reach.asRoot(leave))} </dev/null`;
  return `${unlessAbandoned(reach.name, left, call)}
case $status in
75 | 124 | 255)
  echo "node ${name} is still in the cluster and its machine was not touched: ${reach.name} or the API server on it does not answer. Run again when it does; if it is gone for good, run with OSLO_CLUSTER_ABANDON=${reach.name}" >&2 ;;
esac
exit "$status"`;
}
