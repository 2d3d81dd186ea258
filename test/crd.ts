import { Ajv, type ValidateFunction } from "ajv";
import type { Manifest } from "../plan/manifest.ts";

interface Version {
  name: string;
  served: boolean;
  schema: { openAPIV3Schema: object };
}

interface Crd {
  spec: {
    group: string;
    scope: "Cluster" | "Namespaced";
    names: { kind: string };
    versions: Version[];
  };
}

/**
 * Holds objects against the schemas of CRDs as an API server with strict field validation does, but
 * for the rules in CEL that are beside them.
 *
 * @returns a function that lists what is wrong with an object
 */
export function validator(crds: readonly object[]): (manifest: Manifest) => string[] {
  const ajv = new Ajv({
    strict: false,
    validateFormats: false,
    unicodeRegExp: false,
    allErrors: true,
  });
  const kinds = new Map<string, { scope: string; validate: ValidateFunction }>();
  for (const { spec } of crds as Crd[]) {
    for (const { name, served, schema } of spec.versions) {
      if (!served) continue;
      const validate = ajv.compile(strict(schema.openAPIV3Schema) as object);
      kinds.set(`${spec.group}/${name} ${spec.names.kind}`, { scope: spec.scope, validate });
    }
  }
  return (manifest) => {
    const { apiVersion, kind, metadata } = manifest;
    const found = kinds.get(`${apiVersion} ${kind}`);
    if (found === undefined) return [`no kind ${kind} in ${apiVersion}`];
    const { scope, validate } = found;
    const misplaced = (scope === "Namespaced") !== (metadata.namespace !== undefined);
    validate(manifest);
    const errors = (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
    return misplaced ? [...errors, `a ${scope} object`] : errors;
  };
}

/** With what an API server adds to a schema: no fields but those that it names; and integers or strings. */
function strict(schema: unknown, top = true): unknown {
  if (Array.isArray(schema)) return schema.map((one) => strict(one, false));
  if (typeof schema !== "object" || schema === null) return schema;
  const { properties, ...rest } = schema as { properties?: Record<string, unknown> };
  const result: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      ["items", "additionalProperties", "allOf", "anyOf", "oneOf", "not"].includes(key)
        ? strict(value, false)
        : value,
    ]),
  );
  if (properties === undefined) return result;
  const own = Object.entries(properties).map(([key, value]) => [key, strict(value, false)]);
  result.properties = Object.fromEntries(own);
  if (top) Object.assign(result.properties as object, { metadata: {} });
  // Alternatives say what more is asked of fields that are named above them.
  if (result.type === "object" && !Object.hasOwn(rest, "x-kubernetes-preserve-unknown-fields")) {
    result.additionalProperties ??= false;
  }
  return result;
}
