import { expect } from "vitest";
import { promises } from "../../../verify/promises.ts";
import type { Proof } from "../../../verify/proof.ts";
import { formatTable } from "../../../verify/report.ts";
import { lateReading, type Row } from "../../../verify/run.ts";
import type { Lab } from "../../lab/verification/proof.ts";
import { proveProduct } from "../../lab/verification/verify.ts";
import { stillRed } from "../still-red.ts";
import { timed } from "../timed.ts";
import type { Batch } from "./mutation.ts";

/** Makes a batch, asks, and takes it back: red is what it breaks and nothing else, and then nothing. */
export async function judge(lab: Lab, { mutations, asked = promises }: Batch) {
  const errors = await timed("made", errorsOf(mutations.map(({ make }) => make(lab))));
  const asking = errors.length === 0 ? ask(lab, asked) : Promise.resolve([]);
  errors.push(...(await timed("asked", errorsOf([asking]))));
  errors.push(...(await timed("undone", errorsOf(mutations.map(({ undo }) => undo(lab))))));
  expect(errors).toEqual([]);

  const failed = (await asking).filter(({ verdict }) => verdict === "fail");
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

  const healing = stillRed(() => proveProduct(lab.facts, promises));
  expect(await timed("whole again", healing)).toEqual([]);
}

/** Waits for all of them, whatever becomes of one. */
async function errorsOf(all: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(all);
  return results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
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
