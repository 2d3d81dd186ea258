import type { Config } from "../../config/config.ts";
import type { ClusterPlan } from "../../plan/plan.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { UserError } from "../command.ts";
import { type ControlPlane, controlPlanes } from "./control-planes.ts";
import { Copies } from "./targets.ts";

/** What restore.sh tells of a control plane. */
export interface State {
  made: boolean;
  data: boolean;
  quorum: boolean;
  /** Of kube-system as etcd has it; empty where it has none. */
  uid: string;
  /** Of the cluster that the node was made for. */
  knownUid: string;
  revision: number;
  ca: string;
  phase: "none" | "stopped" | "restored";
  members: number;
}

export interface RestoreOptions {
  /** A target's name. */
  from?: string;
  /** A copy as a file of this machine. */
  file?: string;
  /** A copy's file name at the target. @default the newest */
  copy?: string;
  /** File of the age identity that decrypts. */
  identity?: string;
  /** Control planes that are gone for good, and are not asked. */
  gone: string[];
  /** UID of a living cluster whose data is to be replaced all the same. */
  replace?: string;
  say: (line: string) => void;
}

/**
 * Brings etcd back on one control plane: from a survivor's data, else from a copy. Every member is asked
 * first, what a survivor has is saved before anything is touched, and former data is moved aside.
 * A run that was killed is taken up by the next one.
 * @throws UserError where quorum lives, or a member cannot be asked or is of another cluster
 */
export async function restore(
  config: Config,
  plan: ClusterPlan,
  options: RestoreOptions,
): Promise<{ on: string; others: string[]; seconds: number }> {
  const { say } = options;
  const start = performance.now();
  const planes = (await controlPlanes(plan)).filter(({ name }) => !options.gone.includes(name));
  const states = await ask(planes);
  const chosen = choose(states, options);
  const others = planes.filter(({ name }) => name !== chosen.plane.name);
  for (const { plane, state } of states) {
    if (state.data && state.phase !== "restored")
      say(`${plane.name}: ${await plane.run("restore", "salvage")}`);
  }
  if (chosen.from === "copy" && chosen.state.phase !== "restored") {
    const pipeline = await decrypted(config, options);
    await chosen.plane.feed(pipeline, "restore", "receive");
    say(`${chosen.plane.name}: the copy was received`);
  }
  for (const plane of others) {
    await plane.run("restore", "stop");
    say(`${plane.name}: etcd and the API server are stopped`);
  }
  say(await chosen.plane.run("restore", "apply"));
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  return { on: chosen.plane.name, others: others.map(({ name }) => name), seconds };
}

interface Asked {
  plane: ControlPlane;
  state: State;
}

async function ask(planes: ControlPlane[]): Promise<Asked[]> {
  if (planes.length === 0)
    throw new UserError("--gone names every control plane: nothing is left to restore on");
  const answers = await Promise.allSettled(planes.map((plane) => plane.run("restore", "state")));
  const silent = answers.flatMap((answer, i) =>
    answer.status === "rejected"
      ? [`  ${planes[i]?.name}: ${(answer.reason as Error).message}`]
      : [],
  );
  if (silent.length > 0) {
    throw new UserError(
      `not asked, and may hold the cluster:\n${silent.join("\n")}\nBring them back, or name those that are gone for good: --gone NAME`,
    );
  }
  return answers.map((answer, i) => ({
    plane: planes[i] as ControlPlane,
    state: JSON.parse((answer as PromiseFulfilledResult<string>).value) as State,
  }));
}

/** On which control plane, and from what. Pure. @throws UserError where nothing may be restored */
export function choose<T extends { name: string }>(
  asked: readonly { plane: T; state: State }[],
  { from, file, replace }: Pick<RestoreOptions, "from" | "file" | "replace">,
): { plane: T; state: State; from: "survivor" | "copy" } {
  const resumed = asked.find(({ state }) => state.phase !== "none" && state.made);
  const living = asked.find(({ state }) => state.quorum && state.phase === "none");
  if (living && !resumed) refuseLiving(living.plane.name, living.state, replace);
  for (const part of ["knownUid", "ca"] as const) {
    const values = new Set(asked.map(({ state }) => state[part]).filter(Boolean));
    if (values.size > 1) {
      const lines = asked.map(({ plane, state }) => `  ${plane.name}: ${state[part] || "none"}`);
      const what = part === "ca" ? "CAs" : "clusters";
      throw new UserError(
        `these control planes are of different ${what}:\n${lines.join("\n")}\nRelease the ones that do not belong here.`,
      );
    }
  }
  const made = asked.filter(({ state }) => state.made);
  const isOwn = ({ uid, knownUid }: State) => uid !== "" && (knownUid === "" || uid === knownUid);
  const survivors = made
    .filter(({ state }) => state.data && isOwn(state))
    .sort((a, b) => b.state.revision - a.state.revision);
  const best = resumed ?? survivors[0] ?? made[0];
  if (best === undefined) {
    throw new UserError(
      "no control plane was ever made on these machines: run `pulumi up` first, then restore onto it with --replace",
    );
  }
  const wantsCopy = from !== undefined || file !== undefined;
  if (!wantsCopy && survivors.length === 0 && resumed?.state.phase !== "restored") {
    throw new UserError(
      "no control plane holds this cluster's data any more: name a copy, --from TARGET or --file FILE",
    );
  }
  return { ...best, from: wantsCopy ? "copy" : "survivor" };
}

function refuseLiving(name: string, state: State, replace: string | undefined): void {
  const lostItsData = state.knownUid !== "" && state.uid !== state.knownUid;
  if (lostItsData || (replace !== undefined && replace === state.uid)) return;
  throw new UserError(
    replace === undefined
      ? `${name}: etcd has quorum and serves cluster ${state.uid}: nothing is lost that a restore would bring back. To put it back to an earlier state all the same: --replace ${state.uid}`
      : `--replace ${replace}: ${name} serves cluster ${state.uid}`,
  );
}

/** A pipeline that prints the decrypted set; the key stays on this machine. */
async function decrypted(
  config: Config,
  { from, file, copy, identity }: RestoreOptions,
): Promise<string> {
  if (identity === undefined)
    throw new UserError("a copy is encrypted: give the key that decrypts it, --identity FILE");
  const decrypt = `age --decrypt --identity ${quote(identity)}`;
  if (file !== undefined) return `${decrypt} ${quote(file)}`;
  const copies = new Copies(config, from);
  const { path } = await copies.find(copy);
  return `${copies.command("cat", copies.at(path)).map(quote).join(" ")} | ${decrypt}`;
}
