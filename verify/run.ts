import type { Config } from "../config/config.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import { bind, reasonOf } from "./cluster.ts";
import { removeLeftovers } from "./probe/namespace.ts";
import { type Proof, type Verdict, worst } from "./proof.ts";
import { deadline } from "./time.ts";
import type { Transport } from "./transport.ts";

/** One row of the report. */
export interface Row extends Verdict {
  promise: string;
  proof: string;
  seconds: number;
}

export interface RunOptions {
  /** Ends all of it; what was made is removed all the same. */
  signal?: AbortSignal;
  /** Told each row as soon as it is known. */
  onRow?: (row: Row) => void;
}

/** Removing what was made may take this long, in seconds. */
const removalSeconds = 90;

/**
 * Runs proofs side by side, each within its time; leaves nothing behind, and first removes what an
 * earlier run that was killed left.
 * @returns a row per proof, in their order; each has a verdict.
 */
export async function runProofs(
  proofs: readonly Proof[],
  config: Config,
  plan: ClusterPlan,
  transport: Transport,
  { signal, onRow }: RunOptions = {},
): Promise<Row[]> {
  const ended = new AbortController();
  const whole = AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]);
  const until = bind(config, plan, transport, whole);
  // A cluster that cannot be cleaned cannot be asked either: the proofs say it each for itself.
  await removeLeftovers(until(deadline(removalSeconds, whole))).catch(() => {});

  const prove = async ({ promise, proof, limitSeconds = 60, prove }: Proof): Promise<Row> => {
    const start = performance.now();
    const limit = deadline(limitSeconds, whole);
    const answer = await Promise.race([prove(until(limit)).catch(failure), ending(limit)]);
    // What fails once it is ended fails for that.
    const isLate = answer === "ended" || (limit.aborted && answer.verdict === "fail");
    const verdict = isLate ? unanswered(whole.aborted ? undefined : limitSeconds) : answer;
    const seconds = Math.round(performance.now() - start) / 1000;
    const row = { promise, proof, seconds, ...verdict };
    onRow?.(row);
    return row;
  };

  try {
    return await Promise.all(proofs.map(prove));
  } finally {
    ended.abort();
    const removal = deadline(removalSeconds);
    const cluster = bind(config, plan, transport, removal)(removal);
    await removeLeftovers(cluster).catch((error) => {
      console.error(`verify's own namespace was not removed: ${reasonOf(error)}`);
    });
  }
}

function failure(error: unknown): Verdict {
  return { verdict: "fail", reading: reasonOf(error) };
}

/** An unanswered question is no proof: it fails, and says that it was not answered. */
function unanswered(seconds?: number): Verdict {
  const reading = seconds === undefined ? "interrupted" : `no answer within ${seconds} s`;
  return { verdict: "fail", reading };
}

function ending(signal: AbortSignal): Promise<"ended"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("ended");
    signal.addEventListener("abort", () => resolve("ended"), { once: true });
  });
}

/** 1 where a promise is broken, 4 where none is but one was not proved, 0 where all were proved. */
export function exitCode(rows: readonly Row[]): 0 | 1 | 4 {
  const { verdict } = worst(rows);
  return verdict === "fail" ? 1 : verdict === "not proved" ? 4 : 0;
}
