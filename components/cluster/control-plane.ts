import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { scriptDigest } from "../../steps/bundle.ts";
import { onAny, onNode } from "../../steps/ssh/command.ts";
import type { NodeReach } from "../../steps/ssh/target.ts";
import { createLeave } from "../node/membership.ts";
import type { Node } from "../node/node.ts";

export interface ControlPlaneArgs {
  plan: Pick<ClusterPlan, "name" | "endpoint" | "drainTimeoutSeconds">;
  nodes: Node[];
  /** Workers, who know of a cluster that all control planes have lost. */
  workers: Node[];
  /** The whole cluster is removed with it. */
  cluster: pulumi.Resource;
  /** What must be done before a node becomes a control plane. */
  after: (node: Node) => pulumi.Input<pulumi.Resource>[];
}

interface Identity {
  version: string;
  uid: string;
  caCertificate: string;
}

/**
 * The control planes, which have no first among them: each asks the others, and joins the cluster that
 * they have, or makes one where they have none. One at a time: etcd takes one new member at a time.
 */
export class ControlPlane extends pulumi.ComponentResource {
  /** Kubernetes' version and the UID of kube-system, which names this very cluster. */
  readonly identity: pulumi.Output<Omit<Identity, "caCertificate">>;
  /**
   * A kubeconfig without a secret in it: its user is an `exec` that asks any control plane over SSH for
   * a certificate of one hour. So it never expires in the state, and never changes in a preview.
   */
  readonly kubeconfig: pulumi.Output<string>;
  /** There is an API to ask. */
  readonly serving: pulumi.Resource;
  /** Every control plane is one. */
  readonly joined: pulumi.Resource[] = [];
  /** Other ones for each machine that has joined. */
  readonly ids: pulumi.Output<string>[] = [];

  constructor(name: string, args: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:ControlPlane", name, {}, opts);
    const { plan, nodes, cluster } = args;
    const leaves: command.local.Command[] = [];
    for (const node of nodes) {
      const one = { plan, node, controlPlanes: nodes, cluster };
      // One after the other, also as they go.
      const leave = createLeave({ ...one, after: leaves.slice(-1) });
      leaves.push(leave);
      const peers = nodes.filter((other) => other !== node);
      const after = [...args.after(node), ...this.joined.slice(-1)];
      // Who has left joins again, also where the machine is the one that it was.
      const witnesses = args.workers.slice(0, 3);
      this.joined.push(node.join("control-plane", peers, after, [leave.id], witnesses));
      this.ids.push(leave.id);
    }
    const reading = this.createIdentity(nodes);
    this.serving = reading;
    const found = reading.stdout.apply((text) => JSON.parse(text) as Identity);
    this.identity = found.apply(({ version, uid }) => ({ version, uid }));
    this.kubeconfig = pulumi
      .all([found, pulumi.all(nodes.map(({ reach }) => reach))])
      .apply(([{ caCertificate }, reaches]) => kubeconfig(plan, reaches, caCertificate));
    this.registerOutputs({ kubeconfig: this.kubeconfig, identity: this.identity });
  }

  /** Who the cluster is, by any control plane that knows: the first that is made is enough. */
  private createIdentity(nodes: Node[]): command.local.Command {
    return new command.local.Command(
      "identity",
      {
        create: pulumi
          .all(nodes.map(({ reach }) => reach))
          .apply((reaches) => `: ${scriptDigest("identity")}\n${onAny(reaches, "identity")}`),
        stdin: "",
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: this.joined.slice(0, 1) },
    );
  }
}

function kubeconfig(
  { name, endpoint }: ControlPlaneArgs["plan"],
  reaches: NodeReach[],
  caCertificate: string,
): string {
  const asked = reaches.map((reach) =>
    onNode(
      { ...reach, sshArguments: ["-o", "ConnectTimeout=5", ...reach.sshArguments] },
      "credential",
    ),
  );
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "sh",
    args: ["-c", asked.join(" || ")],
    interactiveMode: "Never",
    installHint:
      "oslo-cluster's kubeconfig needs OpenSSH 8.5 or newer and an ssh-agent (SSH_AUTH_SOCK)",
  };
  const context = { cluster: name, user: `${name}-operator` };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: { server: `https://${endpoint}`, "certificate-authority-data": caCertificate },
      },
    ],
    users: [{ name: context.user, user: { exec } }],
    contexts: [{ name, context }],
    "current-context": name,
  });
}
