import { vi } from "vitest";
import type { Proof } from "../../verify/proof.ts";
import { type Row, runProofs } from "../../verify/run.ts";
import { type SimulatedOptions, simulated } from "./simulated.ts";

/** From here on time passes where a test says so: what takes minutes on a cluster takes moments. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
}

/** Runs proofs to their end in virtual time; answers the seconds that passed there as well. */
export async function run(
  proofs: readonly Proof[],
  options: SimulatedOptions = {},
  signal?: AbortSignal,
): Promise<{ rows: Row[]; seconds: number } & ReturnType<typeof simulated>> {
  const cluster = simulated(options);
  const start = performance.now();
  let rows: Row[] | undefined;
  const running = runProofs(proofs, cluster.config, cluster.plan, cluster.transport, {
    ...(signal ? { signal } : {}),
  });
  void running.then((all) => {
    rows = all;
  });
  while (rows === undefined) await vi.advanceTimersByTimeAsync(100);
  return { ...cluster, rows, seconds: (performance.now() - start) / 1000 };
}

/** One proof's verdict on a simulated cluster. */
export async function verdictOf(proof: Proof, options: SimulatedOptions = {}) {
  stopTime();
  try {
    const { rows } = await run([proof], options);
    return { verdict: rows[0]?.verdict, reading: rows[0]?.reading };
  } finally {
    vi.useRealTimers();
  }
}
