import { howToAbandon } from "../../steps/ssh/abandoned.ts";
import { UserError } from "../command.ts";

/** What a control plane holds: steps/restore-state.sh prints it. */
export interface State {
  /** A control plane was made here. */
  made: boolean;
  /** It belongs to a cluster. */
  member: boolean;
  /** Everything is there that a control plane is made of. */
  prepared: boolean;
  /** etcd's directory has something in it. */
  data: boolean;
  /** etcd answers what its cluster agrees on. */
  quorum: boolean;
  /** Of kube-system as etcd has it; empty where it has none. */
  uid: string;
  /** Of the cluster that the node was made for; empty where it is not known. */
  knownUid: string;
  revision: number;
  ca: string;
  /** What a restore has come to here. */
  phase: "none" | "stopped" | "restored" | "seeded" | "serving";
  members: number;
}

/** A machine of which nothing is known yet. */
export const untouched: State = {
  ...{ made: false, member: false, prepared: false, data: false, quorum: false },
  ...{ uid: "", knownUid: "", revision: 0, ca: "", phase: "none", members: 0 },
};

export interface Asked<M extends { name: string } = { name: string }> {
  machine: M;
  state: State;
}

/** A copy, and what decrypts it. */
export interface Source {
  /** A target's name. */
  from?: string;
  /** A copy as a file of this machine. */
  file?: string;
  /** The copy's file name at the target. @default the newest */
  copy?: string;
  /** File of the age identity that decrypts. */
  identity: string;
}

export interface Wish {
  /** @default a survivor's data */
  source?: Source;
  /** UID of a living cluster whose data is to be replaced all the same. */
  replace?: string;
}

/** Where the cluster begins again, and from what; `nothing`: it has done so, and the others are to join. */
export interface Decision<M extends { name: string }> extends Asked<M> {
  from: "survivor" | "copy" | "nothing";
}

/**
 * Decides by what the control planes hold, never by what an earlier run may remember. A survivor's data is
 * preferred: it is newer than any copy.
 * @throws UserError where nothing may be restored, or not by this
 */
export function decide<M extends { name: string }>(
  asked: readonly Asked<M>[],
  { source, replace }: Wish,
): Decision<M> {
  refuseStrangers(asked);
  const serving = asked.find(({ state }) => state.phase === "serving" && state.quorum);
  if (serving) return { ...serving, from: "nothing" };
  const resumed = asked.find(({ state: { phase } }) => phase === "restored" || phase === "seeded");
  if (resumed) return { ...resumed, from: resumed.state.phase === "seeded" ? "copy" : "survivor" };
  const living = asked.find(({ state }) => state.quorum);
  if (living) refuseLiving(living, asked, replace);
  const survivors = asked
    .filter(({ state }) => state.made && isOwn(state))
    .sort((a, b) => b.state.revision - a.state.revision);
  const [best] = survivors;
  if (best && !source) return { ...best, from: "survivor" };
  const place =
    best ??
    asked.find(({ state }) => state.made) ??
    asked.find(({ state: { prepared } }) => prepared);
  if (place === undefined) throw new UserError(unprepared(asked));
  if (!source)
    throw new UserError(
      "no control plane holds this cluster's data any more: name a copy, --from TARGET or --file FILE",
    );
  return { ...place, from: "copy" };
}

/** In etcd's directory, or saved by an earlier run. */
const isOwn = ({ uid, knownUid }: State) => uid !== "" && (knownUid === "" || uid === knownUid);

function refuseStrangers(asked: readonly Asked[]): void {
  const parts = [
    [
      "clusters",
      ({ knownUid, ...state }: State) =>
        knownUid || (isOwn({ knownUid, ...state }) ? state.uid : ""),
    ],
    ["CAs", ({ ca }: State) => ca],
  ] as const;
  for (const [what, of] of parts) {
    const values = new Set(asked.map(({ state }) => of(state)).filter(Boolean));
    if (values.size <= 1) continue;
    const lines = asked.map(({ machine, state }) => `  ${machine.name}: ${of(state) || "none"}`);
    throw new UserError(
      `these control planes are of different ${what}:\n${lines.join("\n")}\nName those that do not belong here with --gone, or release them.`,
    );
  }
}

function refuseLiving(
  { machine: { name }, state }: Asked,
  asked: readonly Asked[],
  replace: string | undefined,
): void {
  const lostItsData = state.knownUid !== "" && state.uid !== state.knownUid;
  if (lostItsData || (replace !== undefined && replace === state.uid)) return;
  if (replace !== undefined)
    throw new UserError(`--replace ${replace}: ${name} serves cluster ${state.uid}`);
  const out = asked.filter(({ state: { quorum } }) => !quorum).map(({ machine }) => machine.name);
  throw new UserError(
    [
      `${name}: etcd has quorum and serves cluster ${state.uid}: there is nothing to restore.`,
      ...(out.length > 0
        ? [
            `To bring ${out.join(", ")} back: \`pulumi up\`, or replace in place (docs/control-planes.md).`,
          ]
        : []),
      `To put the cluster back to an earlier state all the same: --replace ${state.uid}`,
    ].join("\n"),
  );
}

function unprepared(asked: readonly Asked[]): string {
  const names = asked.map(({ machine }) => machine.name);
  return `no control plane was ever made on ${names.join(", ")}, and none has what one is made of. Prepare them first; it ends where a cluster would begin:
  OSLO_CLUSTER_RESTORE=yes ${howToAbandon(names)} pulumi up
(with the names of all machines that are gone, workers too)`;
}
