import { type OperationContext, records } from "./context.ts";
import { type DownRequest, down } from "./down.ts";
import { Busy } from "./exclusive.ts";
import type { Leftover } from "./leftovers.ts";
import { isDue } from "./stack-tags.ts";

/** What became of one cluster. */
export interface Reaped {
  name: string;
  outcome: "gone" | "left" | "busy" | "failed" | "no expiry" | "living";
  leftovers: Leftover[];
  error?: string;
}

/**
 * Removes what has expired, and what a `down` that was killed has begun to remove. Safe from cron: one
 * that fails keeps nobody else, one that somebody works on is left to them, and a stack without an
 * expiry is never touched.
 * @param seconds What each removal may take.
 */
export async function reap(context: OperationContext, seconds: number): Promise<Reaped[]> {
  const results: Reaped[] = [];
  for (const { name, record } of await records(context.backend)) {
    if (record === undefined) results.push({ name, outcome: "no expiry", leftovers: [] });
    else if (!isDue(record, context.now()))
      results.push({ name, outcome: "living", leftovers: [] });
    else results.push(await remove(context, { name, abandon: [], seconds }));
  }
  return results;
}

async function remove(context: OperationContext, request: DownRequest): Promise<Reaped> {
  const { name } = request;
  try {
    const leftovers = await down(context, request);
    return { name, outcome: leftovers.length > 0 ? "left" : "gone", leftovers };
  } catch (error) {
    const outcome = error instanceof Busy ? "busy" : "failed";
    return { name, outcome, leftovers: [], error: (error as Error).message };
  }
}
