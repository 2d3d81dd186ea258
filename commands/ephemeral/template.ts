import { z } from "zod";
import { dnsLabel } from "../../config/formats.ts";
import { sectionsOf } from "../../config/load.ts";
import { existingNode } from "../../config/sections/nodes.ts";
import { Refusal } from "./refusal.ts";

/** The namespace of a template's own keys, beside `oslo-cluster:` ones. */
export const namespace = "oslo-cluster-ephemeral";

/** A VLAN, its addresses, or whatever else only one cluster may have at a time. */
const slot = z.strictObject({
  name: dnsLabel,
  /** Sections of the configuration, laid over the template's own; lists are replaced. */
  set: z.record(z.string(), z.record(z.string(), z.unknown())),
});

const schema = z.strictObject({
  slots: z.array(slot).min(1, "empty; describe a slot, or remove the list").optional(),
  /** Given machines that clusters take and bring back. */
  pool: z
    .strictObject({
      controlPlanes: z.int().min(0).default(1),
      workers: z.int().min(0).default(1),
      machines: z.array(existingNode.omit({ role: true })).min(1, "empty; name a machine"),
    })
    .optional(),
});

export type Slot = z.output<typeof slot>;
export type Pool = NonNullable<z.output<typeof schema>["pool"]>;
export type Machine = Pool["machines"][number];

/** A stack's file that clusters are made from. */
export interface Template {
  source: string;
  /** The sections of the configuration, as they are written. */
  sections: Record<string, unknown>;
  slots: Slot[];
  pool?: Pool;
}

/** @throws Refusal or ConfigError with all that is wrong with the template itself. */
export function readTemplate(path: string): Template {
  const sections = sectionsOf(path);
  const parsed = schema.safeParse(sectionsOf(path, namespace));
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      ({ path: at, message }) => `  ${namespace}:${at.join(".")}: ${message}`,
    );
    throw new Refusal(`${path}: not a template\n${lines.join("\n")}`);
  }
  const { slots = [], pool } = parsed.data;
  refuseDuplicates(path, "slots", slots, ({ name }) => name);
  refuseDuplicates(path, "pool.machines", pool?.machines ?? [], ({ name }) => name);
  refuseDuplicates(path, "pool.machines", pool?.machines ?? [], ({ ssh }) => ssh.hostKey);
  return { source: path, sections, slots, ...(pool ? { pool } : {}) };
}

function refuseDuplicates<T>(
  path: string,
  list: string,
  items: T[],
  identify: (item: T) => string,
) {
  const known = items.map(identify);
  const twice = known.find((one, i) => known.indexOf(one) !== i);
  if (twice === undefined) return;
  throw new Refusal(`${path}: ${namespace}:${list}: ${twice}: twice; give each its own`);
}
