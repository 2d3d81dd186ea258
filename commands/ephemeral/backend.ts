import type { State } from "./leftovers.ts";
import type { Tags } from "./stack-tags.ts";

/** Where stacks are kept, and the engine that works on them. */
export interface Backend {
  /** Its address, that distinguishes locks of this machine. */
  readonly url: string;
  /** Names of all stacks of the project. */
  stacks(): Promise<string[]>;
  create(stack: string): Promise<void>;
  tags(stack: string): Promise<Tags>;
  setTag(stack: string, key: string, value: string): Promise<void>;
  /** Breaks the backend's own lock of a run that was killed. */
  unlock(stack: string): Promise<void>;
  up(stack: string, run: EngineRun): Promise<void>;
  /** Continues where a resource cannot be deleted, and rejects in the end. */
  destroy(stack: string, run: EngineRun): Promise<void>;
  state(stack: string): Promise<State>;
  outputs(stack: string): Promise<Record<string, unknown>>;
  /** Forgets the stack, its tags with it. @throws where it still has resources. */
  remove(stack: string): Promise<void>;
}

export interface EngineRun {
  /** Then the engine is asked to stop; two minutes later it is killed. */
  seconds: number;
  env?: Record<string, string>;
  onOutput: (text: string) => void;
  signal?: AbortSignal;
}
