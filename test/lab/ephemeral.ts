import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileBackend } from "../../commands/engine/file-backend.ts";
import type { OperationContext } from "../../commands/ephemeral/context.ts";
import { locksOf } from "../../commands/ephemeral/locks.ts";
import { removeObjectsBy } from "../../commands/ephemeral/objects.ts";
import { pulumiBackend } from "../../commands/ephemeral/pulumi.ts";
import { stackFilesIn } from "../../commands/ephemeral/stack-files.ts";
import type { Template } from "../../commands/ephemeral/template.ts";
import { engineEnvironment, findPulumi, labEnvironment } from "./engine.ts";
import type { LabFacts } from "./facts.ts";
import { runDirectory } from "./paths.ts";
import { clusterProgram } from "./program.ts";
import { inNamespace } from "./shell.ts";
import { labConfig } from "./stack.ts";

/** The lab's hosts as a pool, of which a cluster takes so many. */
export function labTemplate(facts: LabFacts, controlPlanes: number, workers: number): Template {
  const { nodes: _, ...sections } = labConfig(facts);
  return {
    source: "the lab",
    sections: { ...sections, cluster: { name: "lab" } },
    slots: [],
    pool: {
      ...{ controlPlanes, workers },
      machines: facts.hosts.map(({ name, address, address6, hostKey }) => ({
        name,
        addresses: [address, address6],
        ssh: { port: 22, user: "root", hostKey },
      })),
    },
  };
}

/** Ephemeral clusters on the lab's hosts by Pulumi's engine, with a clock that a test moves. */
export async function labContext(facts: LabFacts, clock: { now: Date }): Promise<OperationContext> {
  const cli = await findPulumi(facts);
  const state = join(runDirectory, "ephemeral");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const backend = pulumiBackend({
    command: inNamespace(facts.netns, [cli.command]),
    env: { ...engineEnvironment(facts, cli), PULUMI_BACKEND_URL: fileBackend(state) },
  });
  return {
    backend,
    locks: locksOf(backend.url),
    host: "lab",
    now: () => clock.now,
    say: console.log,
    onOutput: (text) => void process.stdout.write(text),
    files: stackFilesIn(clusterProgram.directory),
    removeObjects: removeObjectsBy(
      inNamespace(facts.netns, [facts.kubectl]),
      labEnvironment(facts),
    ),
    pause: async (milliseconds) => void (await pause(milliseconds)),
  };
}
