import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Backend, EngineRun } from "../../commands/ephemeral/backend.ts";
import type { State } from "../../commands/ephemeral/leftovers.ts";
import { locksOf } from "../../commands/ephemeral/locks.ts";
import { removeObjectsBy } from "../../commands/ephemeral/objects.ts";
import { pulumiBackend } from "../../commands/ephemeral/pulumi.ts";
import { stackFilesIn } from "../../commands/ephemeral/stack-files.ts";
import type { Template } from "../../commands/ephemeral/template.ts";
import type { World } from "../../commands/ephemeral/world.ts";
import { type Cli, engineEnvironment, findPulumi, labEnvironment } from "./engine.ts";
import type { LabFacts } from "./facts.ts";
import { runDirectory } from "./paths.ts";
import { clusterProgram, stackFileOf } from "./program.ts";
import { destroy, up } from "./runner/index.ts";
import { inNamespace } from "./shell.ts";
import { labConfig } from "./stack.ts";

const directory = join(runDirectory, "ephemeral");

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

/** Ephemeral clusters on the lab's hosts by Pulumi's engine, or the lab's runner, with a clock that a test moves. */
export async function labWorld(facts: LabFacts, clock: { now: Date }): Promise<World> {
  const pulumi = await findPulumi();
  const backend = pulumi ? await engineBackend(facts, pulumi) : runnerBackend(facts);
  console.log(`ephemeral clusters by ${pulumi ? "Pulumi's engine" : "the lab's runner"}`);
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

/** The Automation API, as outside of the lab, with a CLI that works in the lab's network. */
async function engineBackend(facts: LabFacts, cli: Cli): Promise<Backend> {
  const [state, programs] = [join(directory, "state"), join(directory, "bin")];
  for (const one of [state, programs]) mkdirSync(one, { recursive: true, mode: 0o700 });
  const command = inNamespace(facts.netns, cli.command).join(" ");
  writeFileSync(join(programs, "pulumi"), `#!/bin/sh\nPATH=$LAB_PATH exec ${command} "$@"\n`, {
    mode: 0o755,
  });
  const { PATH, ...environment } = engineEnvironment(facts, cli);
  Object.assign(process.env, environment, {
    LAB_PATH: PATH,
    PATH: `${programs}:${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "lab",
  });
  return pulumiBackend();
}

/** Stacks as files of the runner's, tags beside them. */
function runnerBackend(facts: LabFacts): Backend {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = (stack: string, what: "state" | "tags") => join(directory, `${stack}.${what}.json`);
  const read = (path: string) => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {});
  const options = (stack: string, { seconds, env, onOutput, signal }: EngineRun) => ({
    stateFile: file(stack, "state"),
    env: { ...labEnvironment(facts), ...env },
    ...{ kubectl: facts.kubectl, helm: facts.helm, prefix: inNamespace(facts.netns, []) },
    log: (line: string) => onOutput(`${line}\n`),
    cancelSignal: AbortSignal.any([
      AbortSignal.timeout(seconds * 1000),
      ...(signal ? [signal] : []),
    ]),
  });
  const outputs = new Map<string, Record<string, unknown>>();
  return {
    url: `file://${directory}`,
    stacks: async () =>
      readdirSync(directory).flatMap((name) => name.match(/^(.+)\.tags\.json$/)?.[1] ?? []),
    create: async (stack) => writeFileSync(file(stack, "tags"), "{}"),
    tags: async (stack) => read(file(stack, "tags")),
    setTag: async (stack, key, value) => {
      if (!existsSync(file(stack, "tags"))) throw new Error(`no stack ${stack}`);
      writeFileSync(
        file(stack, "tags"),
        JSON.stringify({ ...read(file(stack, "tags")), [key]: value }),
      );
    },
    unlock: async () => {}, // the runner's lock goes with its process
    up: async (stack, run) => {
      const { directory: at, project } = clusterProgram;
      const stackFile = stackFileOf(clusterProgram, stack);
      const program = { program: join(at, "index.ts"), stackFile, project };
      outputs.set(stack, (await up({ ...options(stack, run), ...program })).outputs);
    },
    destroy: async (stack, run) => void (await destroy(options(stack, run))),
    state: async (stack) => read(file(stack, "state")) as State,
    outputs: async (stack) => outputs.get(stack) ?? {},
    remove: async (stack) => {
      for (const what of ["state", "tags"] as const) rmSync(file(stack, what), { force: true });
    },
  };
}
