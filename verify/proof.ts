import type { Cluster } from "./cluster.ts";

/** One promise of the cluster, with how it is proven. */
export interface Proof {
  /** What is promised, as the README and every report say it. */
  promise: string;
  /** How it is proven, in a sentence or two. */
  proof: string;
  /** What to do where it fails, without a full stop. */
  fix: string;
  /** After this many seconds it counts as failed. @default 60 */
  limitSeconds?: number;
  /** Throws, or answers fail, where the promise does not hold. */
  prove(cluster: Cluster): Promise<Verdict>;
}

export interface Verdict {
  /**
   * `not proved` says in its reading why; it never counts as passed. `not enabled` is what the stack
   * does not ask for: neither a fault nor open.
   */
  verdict: "pass" | "fail" | "not proved" | "not enabled";
  /** What was read, or what is wrong and on which node. */
  reading: string;
}

export const pass = (reading: string): Verdict => ({ verdict: "pass", reading });
export const fail = (reading: string): Verdict => ({ verdict: "fail", reading });
/** @param reading The field of the stack's file, and its value. */
export const notEnabled = (reading: string): Verdict => ({ verdict: "not enabled", reading });
export const notProved = (reading: string): Verdict => ({ verdict: "not proved", reading });

/** Passed if nothing was found, failed with what was found. */
export function expectNothing(found: readonly string[], reading: string): Verdict {
  return found.length === 0 ? pass(reading) : fail(list(found));
}

/** As many findings as a person reads; a hundred nodes may say the same. */
function list(found: readonly string[]): string {
  const most = 12;
  const more = found.length > most ? [`and ${found.length - most} more`] : [];
  return [...found.slice(0, most), ...more].join("; ");
}

/** The worst of several verdicts, with the readings of that kind; a pass keeps them all. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  for (const verdict of ["fail", "not proved", "pass", "not enabled"] as const) {
    const same = verdicts.filter((one) => one.verdict === verdict);
    if (same.length > 0) {
      return { verdict, reading: list([...new Set(same.map(({ reading }) => reading))]) };
    }
  }
  return notProved("nothing was asked");
}
