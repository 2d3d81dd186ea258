import type { z } from "zod";
import type { Failure } from "./provider.ts";
import { isMap, isUnknown, open, type Values } from "./values.ts";

/** What is wrong with inputs; what is not known yet is not wrong yet. */
export function failuresOf(schema: z.ZodType, inputs: Values): Failure[] {
  const opened = open(inputs);
  const parsed = schema.safeParse(opened);
  if (parsed.success) return [];
  return parsed.error.issues
    .filter(({ path }) => !isUnknown(path.reduce(at, opened)))
    .map(({ path, message }) => ({ property: path.join("."), reason: message }));
}

function at(value: unknown, key: PropertyKey): unknown {
  if (isUnknown(value)) return value;
  return isMap(value) || Array.isArray(value) ? (value as Values)[key as string] : undefined;
}
