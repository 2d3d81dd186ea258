import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { locksOf } from "../../ephemeral/locks.ts";
import { removeObjects } from "../../ephemeral/objects.ts";
import { pulumiBackend } from "../../ephemeral/pulumi.ts";
import { stackFilesIn } from "../../ephemeral/stack-files.ts";
import { thisHost, type World } from "../../ephemeral/world.ts";
import { runProcess } from "../../verify/process.ts";
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
    removeObjects: objects,
    pause: async (milliseconds) => void (await pause(milliseconds)),
    signal: untilInterrupted(),
  };
}

async function objects(kubeconfig: string, seconds: number) {
  const directory = mkdtempSync(join(tmpdir(), "oslo-cluster-"));
  const file = join(directory, "kubeconfig");
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  try {
    return await removeObjects((args, limit) => {
      const command = ["kubectl", "--kubeconfig", file, `--request-timeout=${limit}s`, ...args];
      return runProcess(command, { signal: AbortSignal.timeout((limit + 5) * 1000) });
    }, seconds);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
