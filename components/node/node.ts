import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { type NodeReach, nodeReach, quote } from "../../plan/reach.ts";
import { renderStep, type StepName } from "../../plan/step.ts";
import { claimScript, releaseScript, scriptDigest } from "../../steps/bundle.ts";

export interface NodeArgs {
  cluster: Pick<ClusterPlan, "name" | "dial" | "bastion">;
  node: NodePlan;
}

/** Who a machine is, as it reports itself. */
export interface NodeFacts {
  hostname: string;
  machineId: string;
  macAddresses: string;
  productUuid: string;
}

/**
 * A machine that exists and is reached over SSH: claimed for this cluster, given back at destroy.
 * Holds the way to it, so that what is done on it need not repeat the connection.
 */
export class Node extends pulumi.ComponentResource {
  readonly plan: NodePlan;
  readonly reach: NodeReach;
  readonly facts: pulumi.Output<NodeFacts>;
  /** Everything done on the node lives as long as this. */
  private readonly release: pulumi.Resource;
  private readonly claim: pulumi.Resource;

  constructor(name: string, { cluster, node }: NodeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Node", name, {}, opts);
    this.plan = node;
    this.reach = nodeReach(cluster, node);
    this.release = this.createRelease(cluster.name);
    const claim = this.createClaim(cluster.name);
    this.claim = claim;
    this.facts = claim.stdout.apply((text) => JSON.parse(text) as NodeFacts);
    this.registerOutputs({ facts: this.facts });
  }

  /**
   * Runs one step of the node's plan. The step's reading is the result's stdout.
   * @param after What must be done before.
   */
  step(name: StepName, after: pulumi.Input<pulumi.Resource>[] = []): command.remote.Command {
    return new command.remote.Command(
      `${this.reach.name}-${name}`,
      {
        connection: this.reach.connection,
        create: this.runStep(name),
        stdin: this.document(name),
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      // Nothing to undo: the release takes the whole machine back.
      { parent: this, dependsOn: [this.claim, ...after], deletedWith: this.release },
    );
  }

  /**
   * Runs a step that needs a secret which another node mints when it is used. The secret goes from
   * there to here through a pipe of the operator's machine: it is no value of Pulumi's, stands in no
   * argument, and reaches no log. A dropped SSH session is taken up again.
   */
  stepWithSecret(
    name: StepName,
    mint: { on: Node; command: string },
    after: pulumi.Input<pulumi.Resource>[],
  ): command.local.Command {
    const { on, command: minting } = mint;
    return new command.local.Command(
      `${this.reach.name}-${name}`,
      {
        create: [
          "set -eu",
          "document=$(cat)",
          `secret=$(${ssh(on.reach, on.reach.asRoot(`/usr/local/lib/oslo-cluster/oslo-step ${minting}`))} </dev/null)`,
          `printf '%s\\n%s\\n' "$document" "$secret" | ${ssh(this.reach, this.runStep(name))}`,
        ].join("\n"),
        stdin: this.document(name),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [this.claim, ...after], deletedWith: this.release },
    );
  }

  private runStep(name: StepName): string {
    // The digest makes a changed script a change of the resource; `:` ignores it.
    return `: ${scriptDigest(name)}; ${this.reach.asRoot(`/usr/local/lib/oslo-cluster/oslo-step run ${name}`)}`;
  }

  private document(name: StepName): string {
    const document = this.plan.steps[name];
    if (document === undefined)
      throw new pulumi.ResourceError(`${this.reach.name} has no step ${name}`, this);
    return renderStep(document);
  }

  /**
   * Made before anything that can fail, since a failed create would leave nothing to destroy. By ssh
   * and not as a remote command: a remote delete that cannot dial says nothing of what it leaves.
   */
  private createRelease(cluster: string): command.local.Command {
    const { name, sshArguments, asRoot } = this.reach;
    return new command.local.Command(
      `${name}-release`,
      {
        create: ":",
        delete: releaseCommand(name, sshArguments, asRoot(`bash -s -- ${cluster}`)),
        stdin: releaseScript(),
        logging: command.local.Logging.StdoutAndStderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this },
    );
  }

  private createClaim(cluster: string): command.remote.Command {
    return new command.remote.Command(
      `${this.reach.name}-claim`,
      {
        connection: this.reach.connection,
        create: this.reach.asRoot(`bash -s -- ${cluster} ${this.reach.name}`),
        stdin: claimScript(),
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [this.release], deletedWith: this.release },
    );
  }
}

function ssh(reach: NodeReach, remote: string): string {
  return ["ssh", ...reach.sshArguments, remote].map(quote).join(" ");
}

/** Fails in bounded time where a node is dead, and says what stands there still and how to go on. */
function releaseCommand(name: string, sshArguments: string[], remote: string): string {
  const call = ["timeout", "900", "ssh", ...sshArguments, remote].map(quote).join(" ");
  return `case ",\${OSLO_CLUSTER_ABANDON:-}," in
*,${name},*)
  echo "left behind on ${name}: Kubernetes, its data and packages, /var/lib/oslo-cluster (abandoned by OSLO_CLUSTER_ABANDON)" >&2
  exit 0 ;;
esac
status=0
${call} || status=$?
[ "$status" != 255 ] || echo "left behind on ${name}: Kubernetes, its data and packages, /var/lib/oslo-cluster: the machine does not answer. Destroy again when it does; if it is gone for good, destroy with OSLO_CLUSTER_ABANDON=${name}" >&2
exit "$status"`;
}
