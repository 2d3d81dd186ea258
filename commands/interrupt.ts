/** Two signals within this time are one: npm passes on what the terminal has sent to both. */
const oneInterruptMilliseconds = 1000;

const controller = new AbortController();
let onInterrupt: (() => void) | undefined;

/**
 * Handles SIGINT and SIGTERM: the first lets a command that has asked for it remove what it made, the
 * second ends it. Other commands end at once; what is registered for the process's exit is removed.
 */
export function handleInterrupts(): void {
  let first: number | undefined;
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.on(signal, () => {
      const repeated = first !== undefined && Date.now() - first > oneInterruptMilliseconds;
      first ??= Date.now();
      if (onInterrupt === undefined || repeated) process.exit(128 + number);
      onInterrupt();
    });
  }
}

/** A signal for a command that removes what it made before it ends. */
export function untilInterrupted(): AbortSignal {
  onInterrupt = () => controller.abort();
  return controller.signal;
}

/** SIGINT is for a program that has the terminal now. */
export function leaveInterruptsToProgram(): void {
  onInterrupt = () => {};
}

export function wasInterrupted(): boolean {
  return controller.signal.aborted;
}
