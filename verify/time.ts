/** A signal that comes after so many seconds, or as soon as one of the others does. It keeps no process alive. */
export function deadline(seconds: number, ...others: AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), seconds * 1000).unref();
  return AbortSignal.any([controller.signal, ...others]);
}

/** Waits before a question is asked again. @throws once the signal comes */
export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  signal.throwIfAborted();
}

/**
 * Asks again and again, until an answer is good or so many seconds are over.
 * @returns the last answer, good or not.
 * @throws what the question throws, and once the signal comes.
 */
export async function askUntil<T>(
  isGood: (answer: T) => boolean,
  seconds: number,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  const over = deadline(seconds, signal);
  for (;;) {
    const answer = await ask();
    if (isGood(answer) || over.aborted) return answer;
    await pause(1, signal);
  }
}
