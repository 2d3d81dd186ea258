import { readFileSync } from "node:fs";
import { largeStack } from "./large-stack.ts";
import { clusterSandbox, stack } from "./sandbox.ts";

/** What the engine took for one operation. */
export interface Took {
  /** Of the clock. */
  seconds: number;
  /** Of CPU, the engine's and its plugins': other work on the machine does not change it. */
  cpuSeconds: number;
}

export interface EngineReading {
  nodes: number;
  /** Of a cluster that does not exist yet. */
  preview: Took;
  firstUp: Took;
  /** Nothing has changed. */
  emptyUp: Took;
  emptyPreview: Took;
  resources: number;
  stateMegabytes: number;
}

/**
 * Makes a cluster of so many nodes by Pulumi's engine, with plugins that answer at once: what is left is
 * the program's own work and the engine's.
 */
export async function measureEngine(cli: string, nodes: number): Promise<EngineReading> {
  // The shell's own count of what it and its children took, once they have ended.
  const counted = `"$0" "$@"; status=$?; times >"$TIMES"; exit $status`;
  using box = clusterSandbox(["bash", "-c", counted, cli]);
  const { stacks } = box;
  const timed = async <T>(work: () => Promise<T>): Promise<[Took, T]> => {
    const since = performance.now();
    const result = await work();
    const seconds = round((performance.now() - since) / 1000);
    return [{ seconds, cpuSeconds: cpuSeconds(readFileSync(box.times, "utf8")) }, result];
  };
  await stacks.create(stack);
  box.configure(largeStack(nodes));
  const [preview] = await timed(() => stacks.preview(stack, "--json"));
  const [firstUp, made] = await timed(() => stacks.up(stack));
  const [emptyUp, unchanged] = await timed(() => stacks.up(stack));
  const [emptyPreview] = await timed(() => stacks.preview(stack, "--json"));
  const { create, ...rest } = unchanged;
  if (create + rest.update + rest.replace + rest.delete > 0 || made.create !== rest.same)
    throw new Error(`the second up is not empty: ${JSON.stringify({ made, unchanged })}`);
  const state = await stacks.exportedState(stack);
  return {
    ...{ nodes, preview, firstUp, emptyUp, emptyPreview },
    resources: made.create,
    stateMegabytes: Math.round(state.length / 1e4) / 100,
  };
}

/** Of bash's `times`: its own user and system time, then its children's. */
function cpuSeconds(times: string): number {
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)];
  return round(
    parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0),
  );
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
