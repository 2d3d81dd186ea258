import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { HypervisorDocument } from "../../plan/libvirt/document.ts";
import type { HypervisorPlan } from "../../plan/libvirt/hypervisor.ts";
import type { ClusterPlan } from "../../plan/plan.ts";
import { hypervisorScript } from "../../steps/hypervisor/bundle.ts";
import { deleteOverSsh, ssh } from "../../steps/ssh/command.ts";
import type { Left } from "../../steps/ssh/left.ts";
import { machineReach, type NodeReach } from "../../steps/ssh/target.ts";

export interface HypervisorArgs {
  cluster: Pick<ClusterPlan, "dial" | "bastion">;
  hypervisor: HypervisorPlan;
}

/**
 * A machine with libvirt, reached over SSH and measured. Scripts reach it with each command: nothing
 * is installed there.
 */
export class Hypervisor extends pulumi.ComponentResource {
  readonly plan: HypervisorPlan;
  readonly reach: NodeReach;
  /** What was measured; nothing is made anywhere before all have passed. */
  readonly preflight: command.local.Command;

  constructor(
    name: string,
    { cluster, hypervisor }: HypervisorArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-cluster:index:Hypervisor", name, {}, opts);
    this.plan = hypervisor;
    this.reach = machineReach(cluster, hypervisor);
    this.preflight = this.run(`${name}-preflight`, hypervisor.preflight);
    this.registerOutputs({ preflight: this.preflight.stdout });
  }

  /** Fetches and verifies the image of its guests. */
  image(after: pulumi.Resource[]): pulumi.Resource {
    const { name, image } = this.plan;
    return this.run(`${name}-image`, image, {
      dependsOn: after,
      left: { kind: "image", file: `${image.vars.IMAGE}` },
    });
  }

  /**
   * Runs a document's script.
   * @param left What stays there if the hypervisor is dead at destroy; without it nothing is undone.
   */
  run(
    name: string,
    document: HypervisorDocument,
    { left, ...opts }: { left?: Left } & pulumi.CustomResourceOptions = {},
    args: Pick<command.local.CommandArgs, "triggers"> = {},
  ): command.local.Command {
    const script = (verb: string) => this.reach.asRoot(`bash -s -- ${verb}`);
    return new command.local.Command(
      name,
      {
        create: ssh(this.reach, script("apply")),
        ...(left ? { delete: deleteOverSsh(this.reach, script("delete"), left) } : {}),
        stdin: hypervisorScript(document),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
        ...args,
      },
      { parent: this, ...opts },
    );
  }
}
