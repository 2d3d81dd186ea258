import { z } from "zod";
import { bare } from "./shape.ts";

type Type = z.core.$ZodType;
type Def = z.core.$ZodTypeDef & Record<string, unknown>;

/** Texts of the forms that fields have, none of them anybody's own. */
function texts(number: number): string[] {
  const n = 1 + (number % 250);
  const key = Buffer.alloc(32, n).toString("base64");
  return [
    `placeholder-${number}`,
    `other-${number}`,
    `192.0.2.${n}`,
    `198.51.100.${n}`,
    `2001:db8::${n}`,
    ...["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/64"],
    ...["1.36.3", "NO-OSL-1", "SE-STO-1", "/placeholder", "15%", "1"],
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${key.slice(0, 43)}`,
    `https://placeholder-${number}.example.no`,
    "registry.example.no/placeholder:1",
    n.toString(16).padStart(128, "0"),
    n.toString(16).padStart(40, "0"),
  ];
}

const numbers = [0, 0.01, 1, 2, 10, 20, 24, 64, 100, 512, 1500, 4000, 9000, 65_000, 131_072];

/**
 * A value that a field takes, another one for each variant; undefined leaves it out.
 * @param number Makes it unlike the placeholders of other fields.
 */
export function placeholder(type: Type, variant: number, number: number): unknown {
  if (mayMiss(type) && variant === 0) return undefined;
  const def = bare(type)._zod.def as Def;
  const oneOf = (values: readonly unknown[]) => {
    const taken = values.filter((value) => z.safeParse(type, value).success);
    return taken[Math.round((variant * (taken.length - 1)) / 2)];
  };
  switch (def.type) {
    case "object": {
      const fields = Object.entries(def.shape as Record<string, Type>);
      const needed = fields.filter(([, one]) => !mayMiss(one));
      return Object.fromEntries(
        needed.map(([key, one]) => [key, placeholder(one, variant, number)]),
      );
    }
    case "array":
      return [placeholder(def.element as Type, variant, number)];
    case "record":
      return {};
    case "enum": {
      const values = Object.values(def.entries as object);
      return values[variant % values.length];
    }
    case "boolean":
      return variant % 2 === 0;
    case "number":
      return oneOf(numbers);
    case "string":
      return oneOf(texts(number));
    default:
      return undefined;
  }
}

function mayMiss(type: Type): boolean {
  return ["optional", "default", "prefault"].includes(type._zod.def.type);
}
