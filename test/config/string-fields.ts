import type { z } from "zod";

type Type = z.core.$ZodType;
type Def = z.core.$ZodTypeDef & {
  shape?: Record<string, Type>;
  element?: Type;
  valueType?: Type;
  options?: Type[];
  innerType?: Type;
  in?: Type;
};

/** Below a path: `[]` an entry of a list, `{}` a value of a map, `{key}` its key. */
export function* stringFields(type: Type, path = ""): Generator<string> {
  const def = type._zod.def as Def;
  for (const [key, child] of Object.entries(def.shape ?? {})) {
    yield* stringFields(child, path === "" ? key : `${path}.${key}`);
  }
  if (def.element) yield* stringFields(def.element, `${path}[]`);
  if (def.valueType) {
    yield `${path}{key}`;
    yield* stringFields(def.valueType, `${path}{}`);
  }
  for (const option of def.options ?? []) yield* stringFields(option, path);
  const inner = def.type === "pipe" ? def.in : def.innerType;
  if (inner) yield* stringFields(inner, path);
  if (["string", "any", "unknown"].includes(def.type)) yield path;
}

/** Copies of a value with another text at the first place that has the path; nothing where none has it. */
export function replaced(
  value: unknown,
  path: string,
  text: (old: string) => string,
): unknown | undefined {
  const [, step = "", rest = ""] = /^(\[\]|\{key\}|\{\}|\.?[^.[{]+)(.*)$/.exec(path) ?? [];
  if (step === "") {
    if (path === "" && (typeof value === "string" || typeof value === "number"))
      return text(String(value));
    return path === "" && value !== undefined ? text("x") : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (step === "{key}") {
    const [first, ...others] = Object.entries(value);
    return first && Object.fromEntries([[text(first[0]), first[1]], ...others]);
  }
  const keys = step === "[]" || step === "{}" ? Object.keys(value) : [step.replace(/^\./, "")];
  for (const key of keys) {
    const below = replaced((value as Record<string, unknown>)[key], rest, text);
    if (below === undefined) continue;
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = below;
    return copy;
  }
  return undefined;
}
