import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A Pulumi program that the lab runs, as its stack `lab`. */
export interface Program {
  /** Where its Pulumi.yaml and index.ts are. */
  directory: string;
  /** The name in its Pulumi.yaml. */
  project: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The project itself. */
export const clusterProgram: Program = { directory: root, project: "oslo-cluster" };

/** Guests on hypervisors, as far as emulation carries. */
export const guestProgram: Program = {
  directory: join(root, "test", "lab", "guests", "program"),
  project: "oslo-cluster-guests",
};

/** A stack's file: made by each run, not part of the repository. */
export function stackFileOf({ directory }: Program, stack = "lab"): string {
  return join(directory, `Pulumi.${stack}.yaml`);
}
