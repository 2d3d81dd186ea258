import type { z } from "zod";

type Type = z.core.$ZodType;
type Def = z.core.$ZodTypeDef & Record<string, unknown>;

/** A type without its wrappers: defaults, optional, transforms. */
export function bare(type: Type): Type {
  const def = type._zod.def as Def;
  const inner = (def.innerType ?? def.in) as Type | undefined;
  return inner ? bare(inner) : type;
}

/** The schema's type at a path of the file; undefined where the schema says nothing. */
export function typeAt(root: Type, path: readonly PropertyKey[]): Type | undefined {
  return path.reduce<Type | undefined>((type, key) => (type ? below(type, key) : undefined), root);
}

function below(type: Type, key: PropertyKey): Type | undefined {
  const def = bare(type)._zod.def as Def;
  if (def.type === "object") return (def.shape as Record<PropertyKey, Type>)[key];
  if (def.type === "array") return def.element as Type;
  if (def.type === "record") return def.valueType as Type;
  return undefined;
}

/** The fields of the object at a path. */
export function keysAt(root: Type, path: readonly PropertyKey[]): string[] {
  const type = typeAt(root, path);
  const def = type && (bare(type)._zod.def as Def);
  return def?.type === "object" ? Object.keys(def.shape as object) : [];
}
