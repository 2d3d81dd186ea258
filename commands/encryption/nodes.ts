import { askEach, split } from "../../verify/cluster.ts";
import { UserError } from "../command.ts";
import type { Machine } from "../etcd/machines.ts";

/** A control plane, as a rotation drives it. */
export type ControlPlane = Pick<Machine, "name" | "command" | "run" | "feed">;

/** What encryption.sh tells of a control plane. */
export interface KeyState {
  /** Names, the one that encrypts first. */
  keys: string[];
  /** Whether its API server has loaded the file as it is. */
  loaded: boolean;
  /** Whether its API server looks for a changed file. */
  reload: boolean;
  /** Names of etcd's members. */
  members: string[];
  /** Files of former keys. */
  kept: string[];
}

export interface Asked {
  plane: ControlPlane;
  state: KeyState;
}

/** Where a node keeps former keys, for root alone. */
export const archive = "/etc/kubernetes/encryption-keys";

/** Asks every control plane. @throws UserError where one does not answer, or is not as a rotation needs it */
export async function ask(planes: readonly ControlPlane[]): Promise<Asked[]> {
  const { answered, silent } = split(
    await askEach(planes, (plane) => plane.run("encryption", "state")),
  );
  const problems = silent.map(({ of, problem }) => `${of.name}: ${problem}`);
  const asked = answered.map(({ of, answer }) => ({
    plane: of,
    state: JSON.parse(answer) as KeyState,
  }));
  const names = planes.map(({ name }) => name);
  const strangers = new Set(asked.flatMap(({ state }) => state.members));
  for (const name of names) strangers.delete(name);
  for (const name of strangers)
    problems.push(
      `${name}: a member of etcd that the stack's file has not; run \`pulumi up\` first`,
    );
  for (const { plane, state } of asked) {
    if (!state.reload)
      problems.push(
        `${plane.name}: its API server does not look for changed keys; run \`pulumi up\` first`,
      );
  }
  if (problems.length === 0) return asked;
  throw new UserError(
    `every control plane must take part, or it could not read what the others write:\n${problems.map((line) => `  ${line}`).join("\n")}\nNothing was changed.`,
  );
}

/** A line for each control plane. */
export function describe(asked: readonly Asked[]): string {
  return asked
    .map(({ plane, state: { keys, loaded, kept } }) => {
      const [first = "none", ...others] = keys;
      const reads = others.length > 0 ? `, reads ${others.join(", ")}` : "";
      const old = kept.length > 0 ? `; kept: ${kept.join(", ")}` : "";
      return `${plane.name}: encrypts with ${first}${reads}${loaded ? "" : "; not loaded yet"}${old}`;
    })
    .join("\n");
}
