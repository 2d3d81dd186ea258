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
