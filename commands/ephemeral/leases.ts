import { createHash } from "node:crypto";
import { overlaps } from "../../config/cidr.ts";
import { Refusal } from "./refusal.ts";
import type { EphemeralRecord } from "./stack-tags.ts";
import { type Machine, namespace, type Slot, type Template } from "./template.ts";

/** What a cluster got of a template. */
export interface Lease {
  slot?: Slot;
  controlPlanes: Machine[];
  workers: Machine[];
  /** What nobody else may have, as words of a tag. */
  claims: string[];
}

/** Pulumi Cloud takes no longer tag. */
const longestTag = 256;

/**
 * Shares out what the template has and no other cluster claims.
 * @param others Records of all other clusters on the backend, of whatever template.
 * @param own What this cluster claims already, and keeps.
 * @throws Refusal, naming who holds what and until when, where too little is free.
 */
export function allocate(
  template: Template,
  others: readonly EphemeralRecord[],
  own: readonly string[] = [],
): Lease {
  const slot = takeSlot(template, others, own);
  const machines = takeMachines(template, others, own);
  const count = template.pool?.controlPlanes ?? 0;
  const claims = [...(slot ? slotClaims(slot, template) : []), ...machines.map(machineClaim)];
  if (claims.join(" ").length > longestTag) {
    const why = `${claims.length} claims are longer than a tag's ${longestTag} characters`;
    throw new Refusal(`${template.source}: ${namespace}:pool: ${why}; take fewer machines`);
  }
  return {
    ...(slot ? { slot } : {}),
    controlPlanes: machines.slice(0, count),
    workers: machines.slice(count),
    claims,
  };
}

/** The claims of one that the other has as well, or that overlap with the other's. */
export function clashes(one: readonly string[], other: readonly string[]): string[] {
  return one.filter((claim) => other.some((theirs) => claim === theirs || meets(claim, theirs)));
}

function takeSlot(
  template: Template,
  others: readonly EphemeralRecord[],
  own: readonly string[],
): Slot | undefined {
  const { slots, source } = template;
  if (slots.length === 0) return undefined;
  const free = slots.filter((slot) => holders(slotClaims(slot, template), others).length === 0);
  const kept = free.find((slot) => own.includes(slotClaim(slot, template)));
  const taken = kept ?? free[0];
  if (taken) return taken;
  throw new Refusal(
    `${source}: no slot is free: ${held(slots.flatMap((slot) => holders(slotClaims(slot, template), others)))}; take one of them down, or add a slot`,
  );
}

function takeMachines(
  { pool, source }: Template,
  others: readonly EphemeralRecord[],
  own: readonly string[],
): Machine[] {
  if (pool === undefined) return [];
  const needed = pool.controlPlanes + pool.workers;
  const free = pool.machines.filter((one) => holders([machineClaim(one)], others).length === 0);
  // In the order of the claims: who was the control plane stays it.
  const kept = own.flatMap((claim) => free.filter((one) => machineClaim(one) === claim));
  const machines = [...kept, ...free.filter((one) => !kept.includes(one))].slice(0, needed);
  if (machines.length === needed) return machines;
  const taken = pool.machines.flatMap((one) => holders([machineClaim(one)], others));
  const who = taken.length > 0 ? ` (${held(taken)})` : "";
  throw new Refusal(
    `${source}: ${needed} machines are needed and ${free.length} of ${pool.machines.length} are free${who}; take a cluster down, or add machines`,
  );
}

/** The machine itself, by its host key: two templates may give it two names. */
function machineClaim({ ssh }: Machine): string {
  return `m:${createHash("sha256").update(ssh.hostKey).digest("hex").slice(0, 10)}`;
}

function slotClaim(slot: Slot, template: Template): string {
  return `slot:${templateCluster(template)}/${slot.name}`;
}

function slotClaims(slot: Slot, template: Template): string[] {
  const { id, subnets } = vlanOf(slot);
  return [
    slotClaim(slot, template),
    ...(id === undefined ? [] : [`vlan:${id}`]),
    ...(subnets ?? []).map((subnet) => `net:${subnet}`),
  ];
}

/** The VLAN that a slot sets, as far as it does. */
export function vlanOf({ set }: Slot): { id?: number; subnets?: string[] } {
  return (set.network?.vlan ?? {}) as { id?: number; subnets?: string[] };
}

/** The name of the template's cluster, with which all its clusters' names begin. */
export function templateCluster({ sections, source }: Template): string {
  const { name } = (sections.cluster ?? {}) as { name?: unknown };
  if (typeof name === "string") return name;
  throw new Refusal(
    `${source}: cluster.name: (not set): every cluster's name begins with it; write one`,
  );
}

function meets(a: string, b: string): boolean {
  if (!a.startsWith("net:") || !b.startsWith("net:")) return false;
  return overlaps(a.slice(4), b.slice(4));
}

function holders(claims: readonly string[], others: readonly EphemeralRecord[]): EphemeralRecord[] {
  return others.filter((other) => clashes(claims, other.claims).length > 0);
}

function held(records: readonly EphemeralRecord[]): string {
  const lines = records.map(
    ({ name, owner, expiresAt }) => `${name} of ${owner} until ${expiresAt.toISOString()}`,
  );
  return [...new Set(lines)].join(", ");
}
