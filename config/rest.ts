import type { z } from "zod";
import { resolve } from "./config.ts";
import { formatPath, pathsOf } from "./issues.ts";
import type { Problem } from "./problem.ts";
import { rules } from "./rules/index.ts";
import { schema } from "./schema.ts";

/** What stands in for a required field that is wrong; no problem of it is reported. */
const stand: Record<string, unknown> = (() => {
  const name = "stand-in";
  const hostKey = "ssh-ed25519 AAAA";
  const addresses = ["192.0.2.1"];
  const subnets = ["192.0.2.0/24"];
  const backends = [{ name, port: 1 }];
  const existing = [{ name, role: "control-plane", addresses, ssh: { hostKey } }];
  return {
    ...{ name, namespace: name, host: name, port: 1, role: "worker", hostKey, ssh: { hostKey } },
    ...{ addresses, subnets, vlan: { subnets }, network: { vlan: { subnets } }, backends },
    ...{ existing, nodes: { existing }, cluster: { name } },
  };
})();

/**
 * The problems across fields of a configuration in which some fields are wrong by themselves, so
 * that a person sees both kinds at once. Those that a wrong field has a part in are left for later.
 */
export function problemsOfTheRest(
  sections: Record<string, unknown>,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  const wrong = issues.flatMap(pathsOf).map(fieldOf);
  const rest = structuredClone(sections);
  for (const path of wrong) remove(rest, path);
  const parsed = parse(rest);
  if (!parsed.success) return [];
  const names = wrong.map(formatPath);
  return rules
    .flatMap((rule) => [...rule(resolve(parsed.data))])
    .filter(({ path, why, fix }) => {
      const text = `${path}: ${why}; ${fix}`;
      return !names.some((name) => text.includes(name) || name.startsWith(path));
    });
}

/** With a stand-in for what is required and, once the wrong fields are gone, missing. */
function parse(rest: Record<string, unknown>) {
  const parsed = schema.safeParse(rest);
  if (parsed.success) return parsed;
  for (const { path } of parsed.error.issues) {
    const key = path.at(-1);
    const parent = containerAt(rest, path);
    if (parent && typeof key === "string") parent[key] ??= structuredClone(stand[key]);
  }
  return schema.safeParse(rest);
}

/** The nearest field of an object: removing an item of a list would shift the others. */
function fieldOf(path: readonly PropertyKey[]): PropertyKey[] {
  return path.slice(0, path.findLastIndex((key) => typeof key === "string") + 1);
}

function remove(root: Record<string, unknown>, path: readonly PropertyKey[]): void {
  const parent = containerAt(root, path);
  if (parent) delete parent[path.at(-1) as string];
}

function containerAt(root: unknown, path: readonly PropertyKey[]) {
  return path
    .slice(0, -1)
    .reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], root) as
    | Record<string, unknown>
    | undefined;
}
