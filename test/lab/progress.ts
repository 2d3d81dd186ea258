/** Seconds that one phase of the lab took. */
export interface Timing {
  phase: string;
  seconds: number;
}

/** A line for each phase, the longest first; phases overlap. */
export function formatTimings(timings: readonly Timing[]): string {
  return timings
    .toSorted((a, b) => b.seconds - a.seconds)
    .map(({ phase, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${phase}`)
    .join("\n");
}

const heartbeatMilliseconds = 15_000;

/** Prints one line of progress to standard error, which leaves standard output to results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Collects the time of each phase and keeps the reader informed while one lasts. */
export class Progress {
  readonly timings: Timing[] = [];

  /**
   * Runs one phase. A phase that lasts prints what it is doing every 15 seconds.
   *
   * @param detail says how far the phase has come, for the lines in between
   */
  async phase<T>(phase: string, action: () => Promise<T>, detail?: () => string): Promise<T> {
    const start = performance.now();
    const elapsed = () => Math.round((performance.now() - start) / 100) / 10;
    const heartbeat = setInterval(() => {
      const more = detail?.();
      say(`  ${phase}: ${elapsed()} s${more ? `, ${more}` : ""}`);
    }, heartbeatMilliseconds);
    try {
      const result = await action();
      this.timings.push({ phase, seconds: elapsed() });
      say(`✓ ${phase} (${elapsed()} s)`);
      return result;
    } catch (error) {
      say(`✗ ${phase} (${elapsed()} s)`);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }
}
