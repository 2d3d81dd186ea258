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
  /** What to do where it fails. */
  fix: string;
  /** False where a question had no answer: the fault may be anybody's. */
  answered: boolean;
  seconds: number;
}

export interface RunOptions {
  /** Ends all of it; what was made is removed all the same. */
  signal?: AbortSignal;
  /** Gets each row as soon as it is known. */
  onRow?: (row: Row) => void;
}

/** As many of those that did not answer in time are named. */
const mostNamed = 5;
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

  const prove = async ({ promise, proof, fix, limitSeconds = 60, prove }: Proof): Promise<Row> => {
    const start = performance.now();
    const limit = deadline(limitSeconds, whole);
    const cluster = until(limit);
    let waitedFor: string[] = [];
    // Before whoever listens next ends what is pending.
    limit.addEventListener("abort", () => (waitedFor = cluster.waitsFor()), { once: true });
    const answer = await Promise.race([prove(cluster).catch(unanswered), ending(limit)]);
    // What fails once it is ended fails for that.
    const isLate = answer === "ended" || (limit.aborted && answer.verdict === "fail");
    const verdict = isLate ? late(whole.aborted ? undefined : limitSeconds, waitedFor) : answer;
    const seconds = Math.round(performance.now() - start) / 1000;
    const row = { promise, proof, fix, answered: true, seconds, ...verdict };
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

type Unanswered = Verdict & { answered: false };

function unanswered(error: unknown): Unanswered {
  return { verdict: "fail", reading: reasonOf(error), answered: false };
}

/** How the reading of a proof begins whose time was over. */
export const lateReading = /^no answer within \d+ s/;

/** An unanswered question is no proof: it fails, and says that it was not answered. */
function late(seconds: number | undefined, waitedFor: readonly string[]): Unanswered {
  if (seconds === undefined) return unanswered("interrupted");
  const some = waitedFor.slice(0, mostNamed);
  const more = waitedFor.length - some.length;
  const of = [...some, ...(more > 0 ? [`${more} more`] : [])].join(", ");
  return unanswered(`no answer within ${seconds} s${of && ` from ${of}`}`);
}

function ending(signal: AbortSignal): Promise<"ended"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("ended");
    signal.addEventListener("abort", () => resolve("ended"), { once: true });
  });
}

/** 3 where a promise is broken, 4 where none is but one was not proved, 0 where all that is enabled was proved. */
export function exitCode(rows: readonly Row[]): 0 | 3 | 4 {
  const { verdict } = worst(rows);
  return verdict === "fail" ? 3 : verdict === "not proved" ? 4 : 0;
}
