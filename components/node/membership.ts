import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { howToAbandon, isAbandoned } from "../../steps/ssh/abandoned.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { onNode } from "../../steps/ssh/command.ts";
import type { NodeReach } from "../../steps/ssh/target.ts";
import type { Node } from "./node.ts";

export interface LeaveArgs {
  plan: Pick<ClusterPlan, "drainTimeoutSeconds">;
  node: Node;
  /** Where the cluster is asked: any of these, but not the node itself. */
  controlPlanes: Node[];
  /** The whole cluster is removed with it, and nobody leaves one by one. */
  cluster: pulumi.Resource;
  after?: pulumi.Resource[];
}

/**
 * How a node leaves the cluster before its machine is given back or re-created. Made before its join: one
 * that fails half way leaves a Node object. Its trigger comes from a resource that the machine depends
 * on, so that the engine, which deletes that one before it re-creates it, deletes this one first: while
 * the old machine is there, and before the new one joins. The engine may run the delete twice.
 */
export function createLeave({ plan, node, controlPlanes, cluster, after = [] }: LeaveArgs) {
  const others = controlPlanes.filter((one) => one !== node);
  return new command.local.Command(
    `${node.plan.name}-leave`,
    {
      create: ":",
      delete: pulumi
        .all([node.reach, pulumi.all(others.map(({ reach }) => reach))])
        .apply(([own, reaches]) =>
          [
            leaveCommand(node.plan.name, reaches, plan.drainTimeoutSeconds),
            ...(node.plan.role === "control-plane" ? [refuseLast(own)] : []),
          ].join("\n"),
        ),
      triggers: [node.identity],
      logging: command.local.Logging.StdoutAndStderr,
      addPreviousOutputInEnv: false,
    },
    {
      parent: node,
      deleteBeforeReplace: true,
      dependsOn: [node.claim, cluster, ...after],
      deletedWith: cluster,
    },
  );
}

/**
 * Asks one control plane after the other, complete in itself: the program may be another one by then.
 * Fails in bounded time where none can be asked, and says how to go on.
 */
function leaveCommand(name: string, reaches: NodeReach[], drainTimeoutSeconds: number): string {
  const leave = `leave ${name} ${drainTimeoutSeconds}`;
  const calls = reaches.map((reach) => `ask ${reach.name} ${quote(onNode(reach, leave))}`);
  return `silent='' abandoned=''
ask() {
  if ${isAbandoned("$1")}; then
    abandoned="$abandoned $1"
    return
  fi
  status=0
  timeout ${drainTimeoutSeconds + 300} sh -c "$2" </dev/null || status=$?
  case $status in
  3) ;;
  75 | 124 | 255) silent="$silent $1" ;;
  *) exit "$status" ;;
  esac
}
${calls.join("\n")}
if [ -n "$silent" ]; then
  echo "node ${name} is still in the cluster and its machine was not touched: no API server answers on$silent. Run again when one does; if they are gone for good, run with ${howToAbandon(["$(echo $silent | tr ' ' ,)"])}" >&2
  exit 75
fi
[ -z "$abandoned" ] || echo "left behind in the cluster: node ${name}, not drained; abandoned:$abandoned" >&2`;
}

/**
 * Runs where no other control plane has taken this one out: then its etcd may be all that is left of the cluster, and
 * a release would empty it. A machine that does not answer is not released either.
 */
function refuseLast(reach: NodeReach): string {
  const { name } = reach;
  return `if ${isAbandoned(name)}; then exit 0; fi
status=0
timeout 60 ${onNode(reach, "member")} </dev/null || status=$?
if [ "$status" = 0 ]; then
  echo "control plane ${name} stays as it is: no other control plane has a cluster to take it out of, and its etcd may be the last one with the cluster's data. Add control planes first; pulumi destroy removes the whole cluster; to give up its data, run with ${howToAbandon([name])}" >&2
  exit 1
fi`;
}
