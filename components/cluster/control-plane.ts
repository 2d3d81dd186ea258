import * as pulumi from "@pulumi/pulumi";
import { type NodeReach, quote } from "../../plan/reach.ts";
import type { Node } from "../node/node.ts";

export interface ControlPlaneArgs {
  clusterName: string;
  /** host:port of the API server. */
  endpoint: string;
  node: Node;
  after: pulumi.Input<pulumi.Resource>[];
}

/** The first control-plane node, and the way for operators to its API. */
export class ControlPlane extends pulumi.ComponentResource {
  readonly node: Node;
  /** Kubernetes version and the UID of kube-system, which names this very cluster. */
  readonly identity: pulumi.Output<{ version: string; uid: string }>;
  /**
   * A kubeconfig without a secret in it: its user is an `exec` that asks the control plane over SSH
   * for a certificate of one hour. So it never expires in the state, and never changes in a preview.
   */
  readonly kubeconfig: pulumi.Output<string>;
  readonly initialized: pulumi.Resource;

  constructor(name: string, args: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:ControlPlane", name, {}, opts);
    this.node = args.node;
    const init = args.node.step("kubeadm-init", args.after);
    this.initialized = init;
    const reading = init.stdout.apply((text) => JSON.parse(text) as Record<string, string>);
    this.identity = reading.apply(({ version = "", uid = "" }) => ({ version, uid }));
    this.kubeconfig = pulumi
      .all([reading, args.node.reach])
      .apply(([{ caCertificate = "" }, reach]) => kubeconfig(args, reach, caCertificate));
    this.registerOutputs({ kubeconfig: this.kubeconfig, identity: this.identity });
  }
}

function kubeconfig(
  { clusterName, endpoint }: ControlPlaneArgs,
  reach: NodeReach,
  caCertificate: string,
): string {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "ssh",
    args: [
      ...reach.sshArguments,
      reach.asRoot(`${quote("/usr/local/lib/oslo-cluster/oslo-step")} credential`),
    ],
    interactiveMode: "Never",
    installHint:
      "oslo-cluster's kubeconfig needs OpenSSH 8.5 or newer and an ssh-agent (SSH_AUTH_SOCK)",
  };
  const context = { cluster: clusterName, user: `${clusterName}-operator` };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: clusterName,
        cluster: { server: `https://${endpoint}`, "certificate-authority-data": caCertificate },
      },
    ],
    users: [{ name: context.user, user: { exec } }],
    contexts: [{ name: clusterName, context }],
    "current-context": clusterName,
  });
}
