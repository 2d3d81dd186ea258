import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";

/** A resource's inputs or outputs as plain JSON, without the SDK's wrappers. */
export type Values = Record<string, unknown>;

/** What an output that is not known before `up` is shown as. */
export const unknownText = "[unknown]";

const { isRpcSecret, specialSigKey, specialResourceSig, unknownValue } = pulumi.runtime;

/** The inputs without the SDK's wrappers, and which of them hold a secret at any depth. */
export function openInputs(raw: Values): { inputs: Values; secrets: string[] } {
  const secrets: string[] = [];
  const inputs: Values = {};
  for (const [key, value] of Object.entries(raw)) {
    inputs[key] = open(value, () => secrets.push(key));
  }
  return { inputs, secrets: [...new Set(secrets)] };
}

function open(value: unknown, onSecret: () => void): unknown {
  if (Array.isArray(value)) return value.map((item) => open(item, onSecret));
  if (value === null || typeof value !== "object") return value;
  const map = value as Values;
  if (isRpcSecret(map)) {
    onSecret();
    return open(map.value, onSecret);
  }
  if (map[specialSigKey] === specialResourceSig) return map.id ?? map.urn;
  if (map[specialSigKey] !== undefined) {
    throw new Error("An asset or archive is an input that the lab's runner cannot handle.");
  }
  return Object.fromEntries(Object.entries(map).map(([key, item]) => [key, open(item, onSecret)]));
}

/** The names of the inputs that were added, removed or changed; an unknown value counts as changed. */
export function changedKeys(before: Values, after: Values): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key])).sort();
}

/** The inputs with each path of `ignoreChanges` ("a" or "a.b") put back to its value in `before`. */
export function keepIgnored(inputs: Values, before: Values, paths: string[]): Values {
  return paths.reduce((kept, path) => keepPath(kept, before, path.split(".")), inputs);
}

function keepPath(inputs: Values, before: Values, path: string[]): Values {
  const [key = "", ...rest] = path;
  const { [key]: current, ...others } = inputs;
  if (!(key in before)) return rest.length === 0 ? others : inputs;
  if (rest.length === 0) return { ...others, [key]: before[key] };
  return { ...others, [key]: keepPath(asMap(current), asMap(before[key]), rest) };
}

function asMap(value: unknown): Values {
  return value !== null && typeof value === "object" ? (value as Values) : {};
}

/** Marks again as secret what is one, for the SDK to carry the mark on. */
export function markSecrets(values: Values, secrets: string[]): Values {
  const marked = Object.entries(values).map(([key, value]) => [
    key,
    secrets.includes(key) ? pulumi.secret(value) : value,
  ]);
  return Object.fromEntries(marked);
}

/** The stack's outputs for a reader: unknown values as {@link unknownText}. */
export function showUnknown(value: unknown): unknown {
  if (value === unknownValue) return unknownText;
  if (Array.isArray(value)) return value.map(showUnknown);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, showUnknown(item)]));
}
