import * as pulumi from "@pulumi/pulumi";
import { providerFor } from "./providers/index.ts";
import type { Entry } from "./state.ts";

/**
 * What goes before `root` does, where that is deleted before it is replaced: what is deleted with
 * it, and what would be replaced itself once nothing is known of its outputs. A mere `dependsOn` is
 * no reason, as in the real engine.
 *
 * @param later what may depend on it, each after everything it depends on; the answer has that order
 */
export function dependentReplacements(root: Entry, later: Entry[]): Entry[] {
  const going = new Set([root.urn]);
  return later.filter((entry) => {
    if (entry === root || !goesToo(entry, going)) return false;
    going.add(entry.urn);
    return true;
  });
}

function goesToo(entry: Entry, going: Set<string>): boolean {
  if ([entry.deletedWith, entry.provider].some((urn) => urn !== undefined && going.has(urn))) {
    return true;
  }
  const { inputs, propertyDependencies = {} } = entry;
  const unknown = Object.keys(inputs).filter((key) =>
    propertyDependencies[key]?.some((urn) => going.has(urn)),
  );
  if (unknown.length === 0) return false;
  const { unknownValue } = pulumi.runtime;
  const wanted = Object.fromEntries(unknown.map((key) => [key, unknownValue]));
  return providerFor(entry.type).replaces(unknown, inputs, { ...inputs, ...wanted });
}
