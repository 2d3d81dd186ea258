import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import type { Impact } from "../config/field.ts";

/** What a changed document does to a living cluster, as the components apply it. */
export interface Effect {
  impact: Impact;
  /** What restarts, what is lost, what to do instead: for a reviewer, without a full stop. */
  says: string;
}

/** The effect of a change; where it depends on what changes, one for each part that does. */
export type Effects =
  | Effect
  | ((before: string | undefined, after: string | undefined) => Effect[]);

/** What a step does when its document changes. Names may end in `*`; the first that matches counts. */
export interface StepEffects {
  /** The step runs again, whatever has changed in its document or its script. */
  default: Effect;
  vars?: Record<string, Effects>;
  files?: Record<string, Effects>;
}

const impacts: readonly Impact[] = ["none", "live", "restart", "drain", "recreate", "impossible"];

/** From harmless to what cannot be done. */
export function severity(impact: Impact): number {
  return impacts.indexOf(impact);
}

/** The worst of some labels; `none` where there are none. */
export function worst(labels: readonly Impact[]): Impact {
  return labels.reduce<Impact>((a, b) => (severity(b) > severity(a) ? b : a), "none");
}

export function effect(impact: Impact, says: string): Effect {
  return { impact, says };
}

/** A gate's, which changes nothing on a machine. */
export const measured: StepEffects = {
  default: effect("none", "measured again; `up` stops before it changes anything where it fails"),
};

/** What the table says of a name; nothing where no entry matches. */
export function lookup(table: Record<string, Effects> = {}, name: string): Effects | undefined {
  const matches = (key: string) =>
    key.endsWith("*") ? name.startsWith(key.slice(0, -1)) : key === name;
  return Object.entries(table).find(([key]) => matches(key))?.[1];
}

/** Effects of a change from one text to another. */
export function resolveEffects(effects: Effects, before?: string, after?: string): Effect[] {
  return typeof effects === "function" ? effects(before, after) : [effects];
}

/**
 * Effects of a YAML document by the dotted paths of what changes in it: the longest entry that is the
 * path or is above it.
 */
export function byPath(table: Record<string, Effects>, other: Effects): Effects {
  return (before, after) => {
    const [from, to] = [flatten(before), flatten(after)];
    const changed = [...new Set([...from.keys(), ...to.keys()])].filter(
      (path) => !isDeepStrictEqual(from.get(path), to.get(path)),
    );
    const effects = changed.flatMap((path) => {
      const above = Object.keys(table)
        .filter((key) => path === key || path.startsWith(`${key}.`))
        .sort((a, b) => b.length - a.length)[0];
      const found = above === undefined ? other : (table[above] as Effects);
      return resolveEffects(found, text(from.get(path)), text(to.get(path)));
    });
    // Another order or spelling of the same values.
    return effects.length > 0 ? distinct(effects) : [effect("none", "the same values")];
  };
}

/** What becomes of an object in the cluster: as it is added or changes, and as it is removed. */
export interface ObjectEffects {
  /** Default: applied in place. */
  added?: Effect;
  /** Default: as it is added. */
  changes?: Effect;
  removed: Effect;
}

/** Effects of a manifest. */
export function ofObject({
  added = effect("live", "applied in place"),
  changes = added,
  removed,
}: ObjectEffects): Effects {
  return (before, after) => {
    if (after === undefined) return [removed];
    return [before === undefined ? added : changes];
  };
}

/** Each effect once, the worst first. */
export function distinct(effects: readonly Effect[]): Effect[] {
  const seen = new Map(effects.map((entry) => [`${entry.impact} ${entry.says}`, entry]));
  return [...seen.values()].sort((a, b) => severity(b.impact) - severity(a.impact));
}

/** A value as a line of the document, for effects that look at it. */
function text(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** The leaves of each document that was asked for: nodes have most of theirs in common. */
const flattened = new Map<string | undefined, ReadonlyMap<string, unknown>>();

function flatten(document: string | undefined): ReadonlyMap<string, unknown> {
  const leaves = flattened.get(document) ?? leavesOf(document);
  flattened.set(document, leaves);
  return leaves;
}

function leavesOf(document: string | undefined): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      leaves.set(path, value);
      return;
    }
    for (const [key, child] of Object.entries(value)) visit(child, path ? `${path}.${key}` : key);
  };
  if (document !== undefined) visit(parse(document), "");
  return leaves;
}
