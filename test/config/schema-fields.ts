import type { z } from "zod";

type Type = z.core.$ZodType;

export interface Field {
  path: string;
  type: Type;
  leaf: boolean;
}

/** Every field of the schema; a leaf holds no further fields. */
export function fieldsOf(type: Type, path = ""): Field[] {
  const { object, suffix } = objectIn(type);
  // An object with a title is somebody else's vocabulary, and documented there.
  const titled = (object as z.ZodType | undefined)?.meta()?.title !== undefined;
  if (object === undefined || titled) return [{ path, type, leaf: true }];
  const below = Object.entries(object._zod.def.shape).flatMap(([key, child]) =>
    fieldsOf(child, `${path}${suffix}${path === "" ? "" : "."}${key}`),
  );
  return path === "" ? below : [{ path, type, leaf: false }, ...below];
}

/** The object below wrappers and lists. */
function objectIn(type: Type): { object?: z.core.$ZodObject; suffix: string } {
  const def = type._zod.def as z.core.$ZodTypeDef & Record<string, Type | undefined>;
  if (def.type === "object") return { object: type as z.core.$ZodObject, suffix: "" };
  if (def.type === "array" && def.element) {
    const { object, suffix } = objectIn(def.element);
    return { ...(object ? { object } : {}), suffix: `[]${suffix}` };
  }
  const inner = def.innerType ?? def.in;
  return inner ? objectIn(inner) : { suffix: "" };
}
