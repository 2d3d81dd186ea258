import { expect } from "vitest";
import { promises } from "../../../verify/promises.ts";
import type { Proof } from "../../../verify/proof.ts";
import { formatTable } from "../../../verify/report.ts";
import { lateReading, type Row } from "../../../verify/run.ts";
import type { Lab } from "../../lab/verification/proof.ts";
import { proveProduct } from "../../lab/verification/verify.ts";
import { stillRed } from "../still-red.ts";
import type { Batch, Mutation } from "./mutation.ts";

/** Makes a batch, asks, and takes it back: red is what it breaks and nothing else, and then nothing. */
export async function judge(lab: Lab, { mutations, asked = promises, settled }: Batch) {
  const made: Mutation[] = [];
  const errors: unknown[] = [];
  const rows = await (async () => {
    for (const mutation of mutations) {
      made.push(mutation);
      await mutation.make(lab);
    }
    await settled?.(lab);
    return ask(lab, asked);
  })().catch((error) => {
    errors.push(error);
    return [];
  });
  // Each of them, whatever becomes of another.
  for (const { undo } of made.reverse()) await undo(lab).catch((error) => errors.push(error));
  expect(errors).toEqual([]);
  await settled?.(lab);

  const failed = rows.filter(({ verdict }) => verdict === "fail");
  console.log(formatTable(failed));
  const broken = mutations.flatMap(({ breaks }) => breaks);
  const expected = new Set(broken.map(({ proof }) => proof.promise));
  const possible = new Set(
    mutations.flatMap(({ mayBreak = [] }) => mayBreak.map(({ promise }) => promise)),
  );
  const red = failed.map(({ promise }) => promise);
  expect(red.filter((promise) => expected.has(promise) || !possible.has(promise)).sort()).toEqual(
    [...expected].sort(),
  );
  for (const { proof, reading } of broken)
    expect(failed.find(({ promise }) => promise === proof.promise)?.reading).toMatch(reading);

  expect(await stillRed(() => proveProduct(lab.facts, promises))).toEqual([]);
}

/**
 * What proofs find. Whoever had no answer in time is asked once more, without the others: beside all of them a busy
 * machine may take longer than a proof waits, and that is nobody's fault.
 */
async function ask({ facts }: Lab, asked: readonly Proof[]): Promise<Row[]> {
  const rows = await proveProduct(facts, asked);
  const late = rows.filter(({ reading }) => lateReading.test(reading));
  if (late.length === 0) return rows;
  console.log(`asked once more:\n${formatTable(late)}`);
  const again = await proveProduct(
    facts,
    asked.filter(({ promise }) => late.some((row) => row.promise === promise)),
  );
  return rows.map((row) => again.find(({ promise }) => promise === row.promise) ?? row);
}
