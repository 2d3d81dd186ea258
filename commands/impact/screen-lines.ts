import type { Change } from "./changes.ts";
import { cut, diffLines } from "./diff.ts";
import { count, countsOf, labelOf, namesOf, type StackReport } from "./report.ts";

/** A stack's report takes at most so many lines, but for what destroys something. */
export const mostLines = 60;

/** What of a report is shown, and how much of each difference. */
export interface Layout {
  shown: { change: Change; diff: string[] }[];
  /** Of changes that nobody has to read, a line. */
  unread: string[];
  /** Of changes that are left out, a line that says so. */
  left: string[];
}

/** Labels that are never left out. */
const destructive = ["impossible", "recreate", "drain"];

/**
 * Shares the lines of a screen among the changes, the worst first.
 * @param lines What is left for changes; Infinity shows all.
 * @param around Lines that a change takes beside its difference.
 * @param where How a person sees what is left out.
 */
export function layOut(
  report: StackReport,
  lines: number,
  around: (change: Change) => number,
  where: string,
): Layout {
  const isUnread = (change: Change) => labelOf(change) === "none";
  const toRead = lines === Infinity ? report.changes : report.changes.filter((c) => !isUnread(c));
  const unread = report.changes.filter((change) => !toRead.includes(change));
  let room = lines - (unread.length > 0 ? 2 : 0);
  const kept = toRead.filter((change) => {
    const fits = destructive.includes(labelOf(change)) || room >= around(change) + 3;
    if (fits) room -= around(change);
    return fits;
  });
  const left = toRead.filter((change) => !kept.includes(change));
  if (left.length > 0) room -= 2;
  const shown = kept.map((change, i) => {
    const share = Math.max(1, Math.floor(room / (kept.length - i)));
    const diff = cut(diffLines(change), share, where);
    room -= diff.length;
    return { change, diff };
  });
  return {
    shown,
    unread: unread.length > 0 ? [`nothing changes on the cluster: ${brief(unread)}`] : [],
    left: left.length > 0 ? [`… ${left.length} more changes, ${labelsOf(left)}: ${where}`] : [],
  };
}

function brief(changes: readonly Change[]): string {
  const most = 4;
  const named = changes.slice(0, most).map(({ what, machines }) => {
    return machines.length === 0 ? what : `${what} (${namesOf(machines)})`;
  });
  const more = changes.length > most ? [`and ${changes.length - most} more`] : [];
  return [...named, ...more].join("; ");
}

function labelsOf(changes: readonly Change[]): string {
  return countsOf(changes)
    .map(([label, number]) => `${number} ${label}`)
    .join(", ");
}

/** What Pulumi's engine would do, the same on several machines once. */
export function operationsOf({ preview, machines }: StackReport): string[] {
  const groups = new Map<string, string[]>();
  for (const { operation, type, name, inputs } of preview?.steps ?? []) {
    const machine = machines
      .filter((one) => name === one || name.startsWith(`${one}-`))
      .sort((a, b) => b.length - a.length)[0];
    const what = machine === undefined ? name : `*${name.slice(machine.length)}`;
    const why = inputs.length > 0 ? ` (${inputs.join(", ")})` : "";
    const key = `${operation.padEnd(18)} ${type} ${what}${why}`;
    groups.set(key, [...(groups.get(key) ?? []), ...(machine === undefined ? [] : [machine])]);
  }
  return [...groups].map(([key, names]) =>
    names.length === 0
      ? key
      : names.length === 1
        ? key.replace(" *", ` ${names[0]}`)
        : `${key}: ${count(names.length, "machine")}`,
  );
}
