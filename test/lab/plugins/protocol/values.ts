import { isDeepStrictEqual } from "node:util";
import struct, { type Struct } from "google-protobuf/google/protobuf/struct_pb.js";

/** A resource's properties as the protocol carries them: JSON, with secrets wrapped and unknowns marked. */
export type Values = Record<string, unknown>;

// Upstream: sdk/go/common/resource/properties.go, sdk/go/common/resource/sig.
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** A placeholder for what is not known before `up`. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The engine's marks for unknowns whose kind it knows: bool, number, array, asset, archive, object. */
const unknowns = new Set([
  unknown,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && unknowns.has(value);
}

export function isMap(value: unknown): value is Values {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

export function isSecret(value: unknown): value is { value: unknown } {
  return isMap(value) && value[signature] === secretSignature;
}

export function secret(value: unknown): unknown {
  return isSecret(value) ? value : { [signature]: secretSignature, value };
}

/** The value without the marks of secrets, at any depth. */
export function open(value: unknown): unknown {
  if (isSecret(value)) return open(value.value);
  if (Array.isArray(value)) return value.map(open);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, open(item)]));
}

/** `outputs` with what is a secret in `inputs` marked as one, at any depth. */
export function keepSecrets(outputs: unknown, inputs: unknown): unknown {
  if (isSecret(inputs)) return secret(outputs);
  if (!isMap(inputs) || !isMap(outputs)) return outputs;
  return Object.fromEntries(
    Object.entries(outputs).map(([key, value]) => [key, keepSecrets(value, inputs[key])]),
  );
}

export type Difference = "add" | "delete" | "update";

/** Every path at which two values differ, as the engine writes paths: `triggers[0]`, `connection.host`. */
export function differences(before: Values, after: Values): Map<string, Difference> {
  const found = new Map<string, Difference>();
  compare("", before, after, found);
  return found;
}

function compare(
  path: string,
  before: unknown,
  after: unknown,
  found: Map<string, Difference>,
): void {
  if (isDeepStrictEqual(before, after)) return;
  if (before === undefined) found.set(path, "add");
  else if (after === undefined) found.set(path, "delete");
  else if (isSecret(before) && isSecret(after)) compare(path, before.value, after.value, found);
  else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++)
      compare(`${path}[${index}]`, before[index], after[index], found);
  } else if (isMap(before) && isMap(after) && !isSecret(before) && !isSecret(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare(step(path, key), before[key], after[key], found);
  } else found.set(path, "update");
}

function step(path: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

export function structOf(properties: Values): Struct {
  return struct.Struct.fromJavaScript(properties as Parameters<typeof Struct.fromJavaScript>[0]);
}
