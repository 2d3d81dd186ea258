import type { Operation } from "./decide.ts";
import type { Engine, Timing } from "./engine.ts";
import type { ProgramResult } from "./program.ts";

/** What a run did, or in a preview would do. */
export interface RunResult extends ProgramResult {
  /** How many resources, by operation; components do not count. */
  summary: Record<Exclude<Operation, "delete-replaced">, number>;
  /** Every operation in the order in which they ended. */
  timings: Timing[];
}

/** The result of a run: the program's outcome, with what the engine did and could not do. */
export function summarize(engine: Engine, outcome: ProgramResult): RunResult {
  const summary = { create: 0, update: 0, replace: 0, delete: 0, same: 0 };
  for (const { op } of engine.timings) {
    if (op !== "delete-replaced") summary[op]++;
  }
  const errors = [...engine.failures, ...outcome.errors];
  return { ...outcome, summary, timings: engine.timings, errors };
}
