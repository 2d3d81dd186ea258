import * as pulumi from "@pulumi/pulumi";
import { type ControlPlanes, quorumErrors } from "../plan/quorum.ts";
import { abandoned, howToAbandon } from "../steps/ssh/abandoned.ts";

/** The stack's output that has them. */
const output = "controlPlanes";

/**
 * Holds the control planes against those of the last `up` that succeeded, before any other resource is
 * registered, without those that are abandoned; a preview does it too. Under OSLO_CLUSTER_RESTORE nodes
 * begin no cluster, and new ones may take the names of all.
 * @throws pulumi.RunError where etcd would lose its data or its majority.
 */
export async function requireQuorum(wanted: ControlPlanes, source: string): Promise<void> {
  const name = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
  const { value } = await new pulumi.StackReference("last-applied", { name }).getOutputDetails(
    output,
  );
  if (process.env.OSLO_CLUSTER_RESTORE) return;
  const lost = abandoned();
  const applied = Object.entries((value ?? {}) as ControlPlanes);
  const living = Object.fromEntries(applied.filter(([name]) => !lost.includes(name)));
  const errors = quorumErrors(living, wanted, source);
  if (errors.length === 0) return;
  const gone = Object.keys(living).filter((name) => wanted[name] !== living[name]);
  throw new pulumi.RunError(
    `${errors.join("\n")}
Where machines are gone for good, name them: ${howToAbandon(gone)}; to bring back a cluster that lost all of them, OSLO_CLUSTER_RESTORE=yes (docs/operations.md, Restore).`,
  );
}
