import type { OperationContext } from "./context.ts";
import { Refusal } from "./refusal.ts";
import {
  type EphemeralRecord,
  type Operation,
  operationElsewhere,
  operationTag,
  stackOf,
} from "./stack-tags.ts";

/** Somebody else is at work on the cluster. */
export class Busy extends Refusal {}

/** Beyond the engine's limit: what it takes to stop it, and what is done before and after it. */
const margin = 10 * 60;

/** Seconds for which a run waits for the engine of one that was killed. */
const patience = 20 * 60;

/**
 * Runs an operation alone on its cluster, as far as this machine knows; `announced` tells the others.
 * @throws Busy
 */
export async function alone<T>(
  context: OperationContext,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  await using lock = await context.locks.name(name);
  if (lock === undefined)
    throw new Busy(`${name}: another operation on it runs on this machine; wait until it ends`);
  return await work();
}

/**
 * Says on the backend, with a time by which it is over, that this machine is at work on a stack. What a
 * run that was killed has left locked is unlocked first, once its engine has ended.
 * @throws Busy
 */
export async function announced<T>(
  context: OperationContext,
  { name, operation }: Pick<EphemeralRecord, "name" | "operation">,
  verb: Operation["verb"],
  seconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const { backend, host, now } = context;
  const stack = stackOf(name);
  const other = operationElsewhere({ operation } as EphemeralRecord, host, now());
  if (other !== undefined)
    throw new Busy(
      `${name}: ${other.host} is at work on it (${other.verb}), until ${other.until.toISOString()} at the latest`,
    );
  // Also after a run that ended by itself: what its engine had started may be at work a little longer.
  if (!(await context.locks.engineEnds(stack, patience)))
    throw new Busy(`${name}: the engine of a run that was killed is at work still; see lslocks`);
  if (operation !== undefined) await backend.unlock(stack);
  const until = new Date(now().getTime() + (seconds + margin) * 1000);
  await backend.setTag(stack, ...operationTag({ verb, host, until }));
  try {
    return await work();
  } finally {
    await backend.setTag(stack, ...operationTag()).catch(() => {}); // the stack may be gone
  }
}
