import type { Provider } from "./providers/provider.ts";
import type { Entry } from "./state.ts";
import { changedKeys, keepIgnored, type Values } from "./values.ts";

/** What the program says about one resource. */
export interface Registration {
  urn: string;
  type: string;
  name: string;
  /** False for components, which have nothing to be executed. */
  custom: boolean;
  inputs: Values;
  secrets: string[];
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  provider?: string;
  deletedWith?: string;
  deleteBeforeReplace: boolean;
  retainOnDelete: boolean;
  ignoreChanges: string[];
  replaceOnChanges: string[];
}

/** A replaced resource counts once, as `replace`; the end of the old one is `delete-replaced`. */
export type Operation = "create" | "update" | "replace" | "delete" | "same" | "delete-replaced";

/** The wanted inputs, with what is ignored or chosen by the provider as it was. */
export function completeInputs(
  wanted: Registration,
  provider: Provider,
  old: Entry | undefined,
): Values {
  const kept = old ? keepIgnored(wanted.inputs, old.inputs, wanted.ignoreChanges) : wanted.inputs;
  return provider.check?.(kept, wanted.name, old?.inputs) ?? kept;
}

/** What brings a resource from its old inputs to these. */
export function decide(
  wanted: Registration,
  provider: Provider,
  old: Entry | undefined,
  inputs: Values,
): Operation {
  if (!old) return "create";
  if (old.pendingReplacement) return "replace";
  const changed = changedKeys(old.inputs, inputs);
  if (changed.length === 0) return "same";
  const forced = wanted.replaceOnChanges.map((path) => path.split(/[.[]/)[0] ?? path);
  const replace = changed.some((key) => forced.includes(key) || forced.includes("*"));
  return replace || provider.replaces(changed, old.inputs, inputs) ? "replace" : "update";
}

/** The resource as the state keeps it, once it is made. */
export function asEntry(
  wanted: Registration,
  inputs: Values,
  made: { id: string; outputs: Values },
): Entry {
  const { urn, type, name, secrets, dependencies, propertyDependencies } = wanted;
  const { provider, deletedWith, retainOnDelete } = wanted;
  return {
    ...{ urn, type, name, id: made.id, inputs, outputs: made.outputs, secrets },
    ...{ dependencies, propertyDependencies },
    ...(provider === undefined ? {} : { provider }),
    ...(deletedWith === undefined ? {} : { deletedWith }),
    ...(retainOnDelete ? { retainOnDelete } : {}),
  };
}
