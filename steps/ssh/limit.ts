/** Runs a task when there is room for it. Tasks of one owner wait in the order in which they came. */
export type Limit = <T>(task: () => Promise<T>, owner?: unknown) => Promise<T>;

/**
 * Runs at most so many tasks at a time. Owners take turns: one that asks a thousand things at once
 * does not hold up another that asks one thing after the other.
 */
export function limit(count: number): Limit {
  let running = 0;
  const waiting = new Map<unknown, (() => void)[]>();

  const next = () => {
    const [first] = waiting;
    if (first === undefined) return undefined;
    const [owner, queue] = first;
    const start = queue.shift();
    // To the end of the line, with what the owner has left.
    waiting.delete(owner);
    if (queue.length > 0) waiting.set(owner, queue);
    return start;
  };

  return async (task, owner) => {
    if (running < count) running++;
    else {
      await new Promise<void>((resolve) => {
        const queue = waiting.get(owner);
        if (queue) queue.push(resolve);
        else waiting.set(owner, [resolve]);
      });
    }
    try {
      return await task();
    } finally {
      const start = next();
      if (start) start();
      else running--;
    }
  };
}
