import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { locksOf } from "../../ephemeral/locks.ts";
import { removeObjectsBy } from "../../ephemeral/objects.ts";
import { pulumiBackend } from "../../ephemeral/pulumi.ts";
import { stackFilesIn } from "../../ephemeral/stack-files.ts";
import { thisHost, type World } from "../../ephemeral/world.ts";
import { untilInterrupted } from "../command.ts";

const root = join(import.meta.dirname, "../..");

/** Pulumi's engine, this machine's locks and clock, kubectl. */
export async function realWorld(): Promise<World> {
  const backend = await pulumiBackend();
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
