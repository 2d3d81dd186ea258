import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../shell.ts";

const root = "/sys/fs/cgroup";

/** The path of a group in each hierarchy that has it: one by one with cgroup v1, none where systemd is init. */
export function cgroups(...path: string[]): string[] {
  const hierarchies = existsSync(root) ? readdirSync(root) : [];
  return hierarchies.map((one) => join(root, one, ...path)).filter((group) => existsSync(group));
}

/** Removes groups with all below them, once their processes have ended. */
export async function removeCgroups(groups: readonly string[]): Promise<void> {
  for (const group of groups) {
    // The kernel lets go of a group a moment after its last process.
    await waitFor(`the cgroup ${group} to be free`, 60, () => {
      removeTree(group);
      return !existsSync(group);
    });
  }
}

/** The groups right below some. */
export function below(groups: readonly string[]): string[] {
  return groups.flatMap((group) => children(group));
}

function children(group: string): string[] {
  return readdirSync(group, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(group, name));
}

function removeTree(group: string): void {
  if (!existsSync(group)) return;
  for (const child of children(group)) removeTree(child);
  try {
    rmdirSync(group);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
  }
}
