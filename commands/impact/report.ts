import type { Impact } from "../../config/field.ts";
import { severity, worst } from "../../plan/effect.ts";
import type { Change } from "./changes.ts";
import type { EnginePreview } from "./read-preview.ts";

/** What a revision does to one stack. */
export interface StackReport {
  /** The stack's name. */
  stack: string;
  /** `changed` also where nothing does; `new` and `gone` are stack files; `refused` is not valid at the head. */
  state: "changed" | "new" | "gone" | "refused";
  /** Names of its machines at both revisions. */
  machines: string[];
  /** What was edited in the stack's file, a field a line. */
  edits: string[];
  changes: Change[];
  /** What a diff does not show, for people. */
  risks: string[];
  /** What could not be compared, for people. */
  notes: string[];
  /** Files with the stack's picture at both revisions, where they were asked for and it changed. */
  pictures?: string[];
  /** What the engine would do, or why it was not asked. */
  preview?: EnginePreview;
}

/** From the worst to the most harmless. */
export const labels: readonly Impact[] = [
  "impossible",
  "recreate",
  "drain",
  "restart",
  "live",
  "none",
];

/** A change's label: the worst of its effects. */
export function labelOf({ effects }: Change): Impact {
  return worst(effects.map(({ impact }) => impact));
}

/** How many changes have each label, from the worst on; labels without one are left out. */
export function countsOf(changes: readonly Change[]): [Impact, number][] {
  return labels
    .map((label): [Impact, number] => [label, changes.filter((c) => labelOf(c) === label).length])
    .filter(([, count]) => count > 0);
}

/** One line of at most 100 characters: how bad, where, how much. Without the stack's name. */
export function headline(report: StackReport): string {
  const { state, changes, risks } = report;
  const suffix = risks.length > 0 ? `; ${count(risks.length, "risk")}` : "";
  if (state === "refused") return "refused: the stack's file has errors";
  if (state === "gone") return `the stack's file is removed, the cluster is not${suffix}`;
  if (state === "new") return `a new stack${suffix}`;
  if (changes.length === 0) return `no change${suffix}`;
  const label = worst(changes.map(labelOf));
  const [first, ...others] = countsOf(changes);
  const also = others.map(([name, number]) => `${number} ${name}`).join(", ");
  const where = places(changes.filter((change) => labelOf(change) === label));
  return `${first?.[1]} ${label} (${where})${also ? `, ${also}` : ""}${suffix}`;
}

/** Machines by name where they are few. */
export function places(changes: readonly Change[]): string {
  const names = [...new Set(changes.flatMap(({ machines }) => machines))];
  return names.length === 0 ? "the cluster" : namesOf(names);
}

/** Names, of many the first and how many more. */
export function namesOf(names: readonly string[]): string {
  const shown =
    names.length > 3
      ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`
      : names.join(", ");
  return shown.length > 60 ? count(names.length, "machine") : shown;
}

/** The reports that break a policy, by stack: the first label or risk that does, in words. */
export function violations(reports: readonly StackReport[], failOn: readonly string[]): string[] {
  const limit = Math.min(
    ...labels.filter((label) => failOn.includes(label)).map((label) => severity(label)),
  );
  return reports.flatMap(({ stack, changes, risks }) => {
    const found = worst(changes.map(labelOf));
    return [
      ...(changes.length > 0 && severity(found) >= limit ? [`${stack}: ${found}`] : []),
      ...(failOn.includes("risk") && risks.length > 0
        ? [`${stack}: ${count(risks.length, "risk")}`]
        : []),
    ];
  });
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
