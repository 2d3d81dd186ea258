import type { Row } from "../../../verify/run.ts";
import { labProofs } from "../../lab/verification/own.ts";
import { losses, lostDisk } from "../losses.ts";
import { batches } from "./batches.ts";

/** As many ways as must turn each promise red. */
const enough = 2;

/** Mutations by promise. */
function mutationsOf(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const lost = [...losses, lostDisk].map(({ name, breaks = [] }) => ({
    name: `${name} of one of three control planes (losses.e2e.ts)`,
    breaks,
  }));
  for (const { name, breaks } of [...batches.flatMap(({ mutations }) => mutations), ...lost])
    for (const { proof } of breaks)
      found.set(proof.promise, [...(found.get(proof.promise) ?? []), name]);
  return found;
}

/** The table promise × mutation, as text. */
export function mutationTable(rows: readonly Row[]): string {
  const known = mutationsOf();
  return rows
    .filter(({ verdict }) => verdict === "pass")
    .map(({ promise }) =>
      [promise, ...(known.get(promise) ?? []).map((name) => `  ${name}`)].join("\n"),
    )
    .join("\n");
}

/** Promises that passed, and that fewer than two mutations break. */
export function tooFewMutations(rows: readonly Row[]): string[] {
  const known = mutationsOf();
  const own = new Set(labProofs.map(({ promise }) => promise));
  return rows
    .filter(({ verdict, promise }) => verdict === "pass" && !own.has(promise))
    .map(({ promise }) => promise)
    .filter((promise) => (known.get(promise) ?? []).length < enough);
}
