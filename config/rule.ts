import type { Config } from "./config.ts";
import type { Problem } from "./problem.ts";

/** A check across fields: yields every problem that it finds. */
export type Rule = (config: Config) => Iterable<Problem>;

/** The entries that share a key with an earlier one, with that earlier one. */
export function* duplicates<T>(
  items: readonly T[],
  key: (item: T) => string,
): Generator<{ item: T; index: number; first: T }> {
  const seen = new Map<string, T>();
  for (const [index, item] of items.entries()) {
    const first = seen.get(key(item));
    if (first === undefined) seen.set(key(item), item);
    else yield { item, index, first };
  }
}
