import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { renderStep } from "../../plan/step.ts";
import { claimDigest, scriptDigest } from "../../steps/bundle.ts";
import { abandonVariable } from "../../steps/ssh/abandoned.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { deleteOverSsh, onNode, ssh } from "../../steps/ssh/command.ts";
import { type NodeReach, nodeReach } from "../../steps/ssh/target.ts";
import type { KvmVps } from "../libvirt/kvm-vps.ts";

export interface NodeArgs {
  cluster: Pick<ClusterPlan, "name" | "dial" | "bastion">;
  node: NodePlan;
  /** The guest that this node is, where the program made it. */
  guest?: Pick<KvmVps, "hostKey" | "machine" | "booted">;
  /** What must be there before it is measured: its peers. */
  after: pulumi.Resource[];
}

/** Who a machine is, as it reports itself. */
export interface NodeFacts {
  hostname: string;
  machineId: string;
  macAddresses: string;
  productUuid: string;
}

/**
 * A machine that is reached over SSH: claimed for this cluster and measured, given back at destroy. One
 * that the program made is not given back: it is removed.
 * Holds the way to it, so that what is done on it need not repeat the connection.
 */
export class Node extends pulumi.ComponentResource {
  readonly plan: NodePlan;
  readonly reach: pulumi.Output<NodeReach>;
  readonly facts: pulumi.Output<NodeFacts>;
  /** What its gates have measured. */
  readonly readings: pulumi.Output<Record<string, unknown>>;
  /** Another one for each machine that has the node's name. */
  readonly identity: pulumi.Output<string>;
  /** Everything that is done on the machine comes after it. */
  readonly claim: pulumi.Resource;
  /** Everything done on the node lives as long as this. */
  readonly machine: pulumi.Resource;

  constructor(
    name: string,
    { cluster, node, guest, after }: NodeArgs,
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
    const claim = this.createClaim(cluster, [guest?.booted ?? this.machine, identity, ...after]);
    this.claim = claim;
    const lines = claim.stdout.apply((text) => text.split("\n"));
    this.facts = lines.apply(([facts = ""]) => JSON.parse(facts) as NodeFacts);
    this.readings = lines.apply(
      ([, readings = "{}"]): Record<string, unknown> =>
        Object.assign({}, ...Object.values(JSON.parse(readings))),
    );
    this.registerOutputs({ facts: this.facts });
  }

  /** Runs the steps of one of the node's resources. Their readings are the result's stdout, by step. */
  run(resource: string, after: pulumi.Input<pulumi.Resource>[] = []): command.remote.Command {
    const { digest, apply, documents } = this.stepsOf(resource);
    return new command.remote.Command(
      `${this.plan.name}-${resource}`,
      {
        connection: this.reach.connection,
        create: this.reach.apply(({ asRoot }) => `: ${digest}; ${asRoot(apply)}`),
        stdin: documents,
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      // Nothing to undo: the release takes the whole machine back.
      { parent: this, dependsOn: [this.claim, ...after], deletedWith: this.machine },
    );
  }

  /**
   * Runs the steps of a resource that makes the node a member of the cluster, with what one of its
   * control planes mints.
   * @param peers The control planes but for the node itself.
   * @param witnesses Workers that would know of a cluster which all control planes have lost.
   * @param since The steps run again when one of these changes.
   */
  join(
    resource: string,
    peers: Node[],
    after: pulumi.Input<pulumi.Resource>[],
    since: pulumi.Input<string>[],
    witnesses: Node[] = [],
  ): command.local.Command {
    const { digest, apply, documents } = this.stepsOf(resource);
    const mint = `mint-join ${this.plan.join}`;
    const reachOf = (nodes: Node[]) => pulumi.all(nodes.map(({ reach }) => reach));
    return new command.local.Command(
      `${this.plan.name}-${resource}`,
      {
        create: pulumi
          .all([this.reach, reachOf(peers), reachOf(witnesses), pulumi.all(since)])
          .apply(([here, others, workers, changes]) =>
            [
              `: ${[digest, ...changes].map(quote).join(" ")}`,
              `exec sh components/node/join.sh ${abandonVariable} \\\n  ${[
                [onNode(here, "member"), ssh(here, here.asRoot(apply))],
                ...others.map((there) => [there.name, onNode(there, mint)]),
                ...workers.map((there) => [there.name, onNode(there, "member")]),
              ]
                .map((words) => words.map(quote).join(" "))
                .join(" \\\n  ")}`,
            ].join("\n"),
          ),
        stdin: documents,
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [this.claim, ...after], deletedWith: this.machine },
    );
  }

  /** The command that runs a resource's steps, their documents, and a digest of their scripts. */
  private stepsOf(resource: string) {
    const order = this.plan.resources[resource];
    if (order === undefined)
      throw new pulumi.ResourceError(`${this.plan.name} has no steps of ${resource}`, this);
    const documents = order.flat().map((name) => {
      const document = this.plan.steps[name];
      if (document === undefined)
        throw new pulumi.ResourceError(`${this.plan.name} has no step ${name}`, this);
      return renderStep(document);
    });
    const names = order.map((beside) => beside.join(",")).join(" ");
    return {
      names,
      // Makes a changed script a change of the resource; `:` ignores it.
      digest: scriptDigest(...order.flat()),
      apply: `/usr/local/lib/oslo-cluster/oslo-step apply ${names}`,
      documents: documents.join(""),
    };
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
            { kind: "node" },
            "steps/release.sh",
          ),
        ),
        logging: command.local.Logging.StdoutAndStderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this },
    );
  }

  /**
   * A machine that exists is the one that has its host key. Where another key is pinned, this is
   * replaced before anything is done on the new machine, and what belongs to the old one is removed first.
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

  private createClaim(
    { name: cluster, dial }: NodeArgs["cluster"],
    after: pulumi.Resource[],
  ): command.local.Command {
    const { name } = this.plan;
    const { names, digest, documents } = this.stepsOf("claim");
    return new command.local.Command(
      `${name}-claim`,
      {
        create: this.reach.apply((reach) => {
          const bash = [
            "ssh",
            ...reach.sshArguments,
            reach.asRoot(`bash -s -- ${cluster} ${name}`),
          ];
          const words = [String(dial.attempts), names, ...bash].map(quote);
          return `: ${claimDigest()} ${digest}\nexec sh components/node/send-claim.sh ${words.join(" ")}`;
        }),
        stdin: documents,
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: after, deletedWith: this.machine },
    );
  }
}
