import type { Row } from "../../verify/run.ts";
import { labProofs } from "../lab/verification/own.ts";
import { batches } from "./mutations.ts";

/** Promises that pass in the lab and that no mutation there can break, each with the reason. */
const cannotBreak: Readonly<Record<string, string>> = {
  "Every machine of the stack is a Ready node at the version that was asked for":
    "a node that is not Ready takes every other proof with it; simulated transports break it",
  "Each node has its share of every pod subnet, IPv4 and IPv6":
    "the API server refuses a change of a node's pod subnets; simulated transports break it",
  "No CPU is stolen by the hypervisor or eaten by interrupts":
    "the lab's bounds pass everything, for its machine is shared; simulated transports break it",
  "No table of connections is close to full":
    "nf_conntrack_max belongs to the whole machine; simulated transports break it",
};

/** Mutations by promise. */
function mutationsOf(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { mutations } of batches)
    for (const { name, breaks } of mutations)
      for (const { proof } of breaks)
        found.set(proof.promise, [...(found.get(proof.promise) ?? []), name]);
  return found;
}

/** The table promise × mutation, as text. */
export function mutationTable(rows: readonly Row[]): string {
  const known = mutationsOf();
  return rows
    .filter(({ verdict }) => verdict === "pass")
    .map(({ promise }) => {
      const names = known.get(promise) ?? [`none: ${cannotBreak[promise] ?? "?"}`];
      return [promise, ...names.map((name) => `  ${name}`)].join("\n");
    })
    .join("\n");
}

/** Promises that passed, have fewer than two mutations, and no reason for it. */
export function withoutMutation(rows: readonly Row[]): string[] {
  const known = mutationsOf();
  const own = new Set(labProofs.map(({ promise }) => promise));
  return rows
    .filter(({ verdict, promise }) => verdict === "pass" && !own.has(promise))
    .map(({ promise }) => promise)
    .filter((promise) => (known.get(promise)?.length ?? 0) < 2 && !(promise in cannotBreak));
}
