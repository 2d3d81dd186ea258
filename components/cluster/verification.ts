import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { quote } from "../../steps/ssh/arguments.ts";

export interface VerificationArgs {
  plan: ClusterPlan;
  kubeconfig: pulumi.Input<string>;
  /** The promises are of a whole cluster. */
  after: pulumi.Input<pulumi.Resource>[];
}

/**
 * Every promise held against the cluster, at the end of each `up` that changes the plan. A broken one
 * fails the `up`, and the next asks again; what cannot be proved is reported, and fails nothing.
 */
export class Verification extends pulumi.ComponentResource {
  constructor(
    name: string,
    { plan, kubeconfig, after }: VerificationArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-cluster:index:Verification", name, {}, opts);
    // Commands run in the program's folder: the project's own, or below its node_modules.
    const project = relative(process.cwd(), pulumi.getRootDirectory() || process.cwd());
    const stackFile = quote(join(project, `Pulumi.${pulumi.getStack()}.yaml`));
    const digest = createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 16);
    new command.local.Command(
      "promises",
      {
        create: `: ${digest}; exec node commands/main.[jt]s verify ${stackFile} --kubeconfig - --allow-unproven`,
        stdin: kubeconfig,
        // What is wrong, and what to do; the table is this resource's output.
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: after, deletedWith: opts?.deletedWith },
    );
    this.registerOutputs();
  }
}
