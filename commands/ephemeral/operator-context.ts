import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { untilInterrupted } from "../interrupt.ts";
import { type OperationContext, thisHost } from "./context.ts";
import { locksOf } from "./locks.ts";
import { removeObjectsBy } from "./objects.ts";
import { pulumiBackend } from "./pulumi.ts";
import { stackFilesIn } from "./stack-files.ts";

const root = join(import.meta.dirname, "../..");

/** Pulumi's engine, this machine's locks and clock, kubectl. */
export function operatorContext(): OperationContext {
  const backend = pulumiBackend();
  return {
    backend,
    locks: locksOf(backend.url),
    host: thisHost(),
    now: () => new Date(),
    say: (line) => console.error(line),
    onOutput: (text) => process.stderr.write(text),
    files: stackFilesIn(root),
    removeObjects: removeObjectsBy(["kubectl"]),
    pause: async (milliseconds) => void (await pause(milliseconds)),
    signal: untilInterrupted(),
  };
}
