import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { type PulumiFailed, pulumiOnPath } from "../../commands/engine/cli.ts";
import { fileBackend } from "../../commands/engine/file-backend.ts";
import { previewSummary, pulumiStacks, type Summary } from "../../commands/engine/stacks.ts";
import type { LabFacts } from "./infrastructure.ts";
import { runDirectory } from "./paths.ts";
import { clusterProgram, type Program } from "./program.ts";
import { inNamespace } from "./shell.ts";

/** Pulumi's engine on the lab's stack of a program. */
export interface Engine {
  /** Which CLI, and whose plugins. */
  readonly name: string;
  readonly cli: Cli;
  /** @throws where a resource failed; what was done until then stays in the state */
  up(options?: UpOptions): Promise<Summary>;
  preview(): Promise<Summary>;
  destroy(env?: Record<string, string>): Promise<void>;
  outputs(): Promise<Record<string, unknown>>;
  /** The whole state as text, to search it for what must not be there. */
  exportedState(): Promise<string>;
  /** `pulumi cancel`: what a person does after an `up` that was killed. */
  cancel(): Promise<void>;
}

export interface UpOptions {
  /** Kills the CLI at once. */
  kill?: AbortSignal;
  /** Gets what it prints, as it comes. */
  onOutput?: (text: string) => void;
  /** Names of resources that are replaced though nothing of them has changed. */
  replace?: readonly string[];
}

/** Pulumi's CLI, and whose plugins it starts. */
export interface Cli {
  command: string;
  plugins: "upstream" | "own";
}

const stack = "lab";
/** Where the backend of the lab's stacks is. */
export const stateDirectory = join(runDirectory, "state");
const ownPlugins = join(import.meta.dirname, "plugins/bin");

/** @param program what to run. @default the project itself */
export async function chooseEngine(facts: LabFacts, program = clusterProgram): Promise<Engine> {
  return pulumiEngine(facts, program, await findPulumi(facts));
}

/**
 * The CLI on PATH, else upstream's own, where it has upstream's plugins or can download them; otherwise one that
 * was built here, with the lab's own.
 */
export async function findPulumi({
  pulumi,
  origin,
}: Pick<LabFacts, "pulumi" | "origin">): Promise<Cli> {
  const command = pulumiOnPath() ?? (origin === "upstream" ? pulumi : undefined);
  if (command !== undefined) {
    const install = ["plugin", "install", "--cwd", clusterProgram.directory];
    // Here, where there may be a way out; inside the lab's network there is none.
    const { exitCode } = await execa(command, install, { reject: false, timeout: 300_000 });
    if (exitCode === 0) return { command, plugins: "upstream" };
  }
  return { command: pulumi, plugins: "own" };
}

/** What a command of the lab needs to reach the hosts. */
export function labEnvironment(facts: LabFacts): Record<string, string> {
  const tools = [facts.helm, facts.kubectl].map((tool) => join(tool, ".."));
  return {
    SSH_AUTH_SOCK: facts.sshAuthSock,
    PATH: [...tools, process.env.PATH].join(":"),
  };
}

/**
 * What a CLI needs besides the backend.
 * @param home where it keeps what is its own, so that it meets no other plugins
 */
export function pluginEnvironment(
  { plugins }: Cli,
  home: string,
  path = "",
): Record<string, string> {
  if (plugins === "upstream") return {};
  // They are scripts, for the Node that runs this.
  return { PULUMI_HOME: home, PATH: [ownPlugins, dirname(process.execPath), path].join(":") };
}

/** The environment in which a CLI works in the lab. */
export function engineEnvironment(facts: LabFacts, cli: Cli): Record<string, string> {
  const lab = labEnvironment(facts);
  return {
    ...lab,
    ...pluginEnvironment(cli, join(runDirectory, "pulumi"), lab.PATH),
    PULUMI_CONFIG_PASSPHRASE: "lab",
  };
}

/** Pulumi's engine on the lab's stack of a program, in the lab's network. */
export function pulumiEngine(facts: LabFacts, { directory, project }: Program, cli: Cli): Engine {
  const stacks = pulumiStacks({
    command: inNamespace(facts.netns, [cli.command]),
    directory,
    env: { ...engineEnvironment(facts, cli), PULUMI_BACKEND_URL: fileBackend(stateDirectory) },
  });
  const ready = async () => {
    const saved = join(stateDirectory, `.pulumi/stacks/${project}/${stack}.json`);
    if (existsSync(saved) || existsSync(`${saved}.zst`)) return;
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    await stacks.create(stack);
  };
  const onOutput = (text: string) => void process.stdout.write(text);
  // Tests look for words anywhere in what was said.
  const inFull = (error: PulumiFailed): never => {
    throw new Error(`${error.message}\n${error.printed ?? ""}`);
  };
  return {
    cli,
    name: `${cli.command} with ${cli.plugins === "own" ? "the lab's own" : "upstream's"} plugins`,
    up: async ({ kill, onOutput: report, replace: names = [] } = {}) => {
      await ready();
      const state = names.length > 0 ? await stacks.exportedState(stack) : "";
      const replace = names.map((name) => urnOf(state, name));
      const both = (text: string) => {
        onOutput(text);
        report?.(text);
      };
      return stacks.up(stack, { onOutput: both, replace, ...(kill ? { kill } : {}) }).catch(inFull);
    },
    preview: async () => {
      await ready();
      return previewSummary(await stacks.preview(stack, "--json").catch(inFull));
    },
    destroy: async (env = {}) => {
      await ready();
      await stacks.destroy(stack, { onOutput, env }).catch(inFull);
    },
    outputs: () => stacks.outputs(stack),
    exportedState: () => stacks.exportedState(stack),
    cancel: () => stacks.cancel(stack),
  };
}

function urnOf(state: string, name: string): string {
  const { deployment } = JSON.parse(state) as { deployment: { resources: { urn: string }[] } };
  const found = deployment.resources.find(({ urn }) => urn.endsWith(`::${name}`));
  if (found === undefined) throw new Error(`the state has no resource ${name}`);
  return found.urn;
}

/** Forgets every stack of the lab. */
export async function forgetState(): Promise<void> {
  await rm(stateDirectory, { recursive: true, force: true });
}
