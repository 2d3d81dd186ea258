import { isDeepStrictEqual } from "node:util";
import { assertShown } from "./diff.ts";

/** More edited fields than a person reads at a glance; the rest is counted. */
const most = 12;

type Sections = Record<string, unknown>;

/**
 * What was edited in a stack's file, a field a line: `kubernetes.version 1.36.3 → 1.36.4`. Entries of
 * lists are known by their names. Pure.
 * @throws Error where it holds what looks like a secret.
 */
export function editsOf(before: Sections, after: Sections): string[] {
  const lines = [...compare("", before, after)];
  assertShown("the stack's file", lines.join("\n"));
  const rest = lines.length - most;
  return rest > 0 ? [...lines.slice(0, most), `and ${rest} more fields`] : lines;
}

function* compare(path: string, before: unknown, after: unknown): Generator<string> {
  if (isDeepStrictEqual(before, after)) return;
  const [from, to] = [fieldsOf(before), fieldsOf(after)];
  if (from === undefined || to === undefined) {
    yield edit(path, before, after);
    return;
  }
  for (const key of new Set([...from.keys(), ...to.keys()])) {
    const below = key.startsWith("[") || path === "" ? `${path}${key}` : `${path}.${key}`;
    yield* compare(below, from.get(key), to.get(key));
  }
  const [order, newOrder] = [from, to].map((fields) => [...fields.keys()].join());
  const same = from.size === to.size && [...from.keys()].every((key) => to.has(key));
  if (Array.isArray(after) && same && order !== newOrder) yield `${path}: another order`;
}

/** Fields of a map, or entries of a list that have names; undefined for everything else. */
function fieldsOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const names = value.map((entry) => (entry as { name?: unknown } | null)?.name);
  const isNamed = names.every((name) => typeof name === "string");
  if (!isNamed || new Set(names).size < names.length) return undefined;
  return new Map(value.map((entry, i) => [`[${names[i]}]`, entry]));
}

function edit(path: string, before: unknown, after: unknown): string {
  if (before === undefined) return `${path}: added${brief(after)}`;
  if (after === undefined) return `${path}: removed${brief(before)}`;
  return `${path} ${text(before)} → ${text(after)}`;
}

/** Of a map, or a list of maps, the name of the field is enough. */
function brief(value: unknown): string {
  const isPlain = [value].flat().every((one) => typeof one !== "object");
  return isPlain ? `, ${text(value)}` : "";
}

function text(value: unknown): string {
  const whole = typeof value === "string" ? value : JSON.stringify(value);
  return whole.length > 60 ? `${whole.slice(0, 57)}...` : whole;
}
