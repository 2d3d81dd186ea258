import { UnknownValueError } from "@pulumi/policy";

/** A value as it is in a resource; `unknown` in a preview where the engine does not have it yet. */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // The same rule holds it when it is known, in `up`.
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}

/** Every text in a resource's inputs that is known. */
export function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  const map = value as Record<string, unknown>;
  return Object.keys(map).flatMap((key) => known(() => textsOf(map[key])) ?? []);
}

/** Every text in a resource's inputs that is somewhere under that key. */
export function textsUnder(value: unknown, key: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  const map = value as Record<string, unknown>;
  return Object.keys(map).flatMap(
    (name) => known(() => (name === key ? textsOf : textsUnder)(map[name], key)) ?? [],
  );
}

/** Every key in a resource's inputs. */
export function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const map = value as Record<string, unknown>;
  return Object.keys(map).flatMap((key) => [key, ...(known(() => keysOf(map[key])) ?? [])]);
}

/** Whether a resource runs commands. */
export function isCommand(type: string): boolean {
  return type === "command:local:Command" || type.startsWith("command:remote:");
}
