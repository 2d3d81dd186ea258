import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { type NodeReach, nodeReach, quote } from "../../plan/reach.ts";
import { renderStep, type StepName } from "../../plan/step.ts";
import { claimScript, releaseScript, scriptDigest } from "../../steps/bundle.ts";
import type { KvmVps } from "../libvirt/kvm-vps.ts";
import { deleteOverSsh, ssh } from "./ssh.ts";

export interface NodeArgs {
  cluster: Pick<ClusterPlan, "name" | "dial" | "bastion">;
  node: NodePlan;
  /** The guest that this node is, where the program made it. */
  guest?: Pick<KvmVps, "hostKey" | "machine" | "booted">;
}

/** Who a machine is, as it reports itself. */
export interface NodeFacts {
  hostname: string;
  machineId: string;
  macAddresses: string;
  productUuid: string;
}

/**
 * A machine that is reached over SSH: claimed for this cluster, given back at destroy. One that the
 * program made is not given back: it goes.
 * Holds the way to it, so that what is done on it need not repeat the connection.
 */
export class Node extends pulumi.ComponentResource {
  readonly plan: NodePlan;
  readonly reach: pulumi.Output<NodeReach>;
  readonly facts: pulumi.Output<NodeFacts>;
  /** Another one for each machine that has the node's name. */
  readonly identity: pulumi.Output<string>;
  /** Everything that is done on the machine comes after it. */
  readonly claim: pulumi.Resource;
  /** Everything done on the node lives as long as this. */
  private readonly machine: pulumi.Resource;

  constructor(
    name: string,
    { cluster, node, guest }: NodeArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-cluster:index:Node", name, {}, opts);
    this.plan = node;
    this.reach = guest
      ? guest.hostKey.apply((hostKey) => nodeReach(cluster, node, hostKey))
      : pulumi.output(nodeReach(cluster, node));
    this.machine = guest?.machine ?? this.createRelease(cluster.name);
    const identity = guest?.machine ?? this.createIdentity();
    this.identity = identity.id;
    const claim = this.createClaim(cluster.name, [guest?.booted ?? this.machine, identity]);
    this.claim = claim;
    this.facts = claim.stdout.apply((text) => JSON.parse(text) as NodeFacts);
    this.registerOutputs({ facts: this.facts });
  }

  /**
   * Runs one step of the node's plan. The step's reading is the result's stdout.
   * @param after What must be done before.
   * @param since The step runs again when one of these changes.
   */
  step(
    name: StepName,
    after: pulumi.Input<pulumi.Resource>[] = [],
    since: pulumi.Input<string>[] = [],
  ): command.remote.Command {
    return new command.remote.Command(
      `${this.plan.name}-${name}`,
      {
        connection: this.reach.connection,
        create: again(
          this.reach.apply((reach) => runStep(name, reach)),
          since,
        ),
        stdin: this.document(name),
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      // Nothing to undo: the release takes the whole machine back.
      { parent: this, dependsOn: [this.claim, ...after], deletedWith: this.machine },
    );
  }

  /**
   * Runs a step that needs a secret which another node mints when it is used. The secret goes from
   * there to here through a pipe of the operator's machine: it is no value of Pulumi's, stands in no
   * argument, and reaches no log. A dropped SSH session is taken up again.
   * @param since The step runs again when one of these changes.
   */
  stepWithSecret(
    name: StepName,
    mint: { on: Node; command: string },
    after: pulumi.Input<pulumi.Resource>[],
    since: pulumi.Input<string>[],
  ): command.local.Command {
    const { on, command: minting } = mint;
    return new command.local.Command(
      `${this.plan.name}-${name}`,
      {
        create: again(
          pulumi
            .all([on.reach, this.reach])
            .apply(([there, here]) =>
              [
                "set -eu",
                "document=$(cat)",
                `secret=$(${ssh(there, there.asRoot(`/usr/local/lib/oslo-cluster/oslo-step ${minting}`))} </dev/null)`,
                `printf '%s\\n%s\\n' "$document" "$secret" | ${ssh(here, runStep(name, here))}`,
              ].join("\n"),
            ),
          since,
        ),
        stdin: this.document(name),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [this.claim, ...after], deletedWith: this.machine },
    );
  }

  private document(name: StepName): string {
    const document = this.plan.steps[name];
    if (document === undefined)
      throw new pulumi.ResourceError(`${this.plan.name} has no step ${name}`, this);
    return renderStep(document);
  }

  /**
   * Made before anything that can fail, since a failed create would leave nothing to destroy. By ssh
   * and not as a remote command: a remote delete that cannot dial says nothing of what it leaves.
   */
  private createRelease(cluster: string): command.local.Command {
    return new command.local.Command(
      `${this.plan.name}-release`,
      {
        create: ":",
        delete: this.reach.apply((reach) =>
          deleteOverSsh(
            reach,
            reach.asRoot(`bash -s -- ${cluster}`),
            "Kubernetes, its data and packages, /var/lib/oslo-cluster",
          ),
        ),
        stdin: releaseScript(),
        logging: command.local.Logging.StdoutAndStderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this },
    );
  }

  /**
   * A machine that exists is the one that has its host key. Where another key is pinned, this is
   * replaced before anything is done on the new machine, and what goes with the old one goes first.
   */
  private createIdentity(): pulumi.CustomResource {
    return new command.local.Command(
      `${this.plan.name}-identity`,
      {
        create: ":",
        triggers: [this.plan.reach.hostKey],
        logging: command.local.Logging.None,
        addPreviousOutputInEnv: false,
      },
      { parent: this, deleteBeforeReplace: true },
    );
  }

  private createClaim(cluster: string, after: pulumi.Resource[]): command.remote.Command {
    return new command.remote.Command(
      `${this.plan.name}-claim`,
      {
        connection: this.reach.connection,
        create: this.reach.apply(({ asRoot }) => asRoot(`bash -s -- ${cluster} ${this.plan.name}`)),
        stdin: claimScript(),
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: after, deletedWith: this.machine },
    );
  }
}

function runStep(name: StepName, { asRoot }: NodeReach): string {
  // The digest makes a changed script a change of the resource; `:` ignores it.
  return `: ${scriptDigest(name)}; ${asRoot(`/usr/local/lib/oslo-cluster/oslo-step run ${name}`)}`;
}

/** The command with what makes it another one, for the engine's eyes; `:` ignores it. */
function again(line: pulumi.Output<string>, since: pulumi.Input<string>[]): pulumi.Output<string> {
  if (since.length === 0) return line;
  return pulumi
    .all([line, ...since])
    .apply(([it, ...ids]) => `: ${ids.map(quote).join(" ")}\n${it}`);
}
