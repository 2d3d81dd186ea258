import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import type { LabFacts } from "./infrastructure.ts";
import { runDirectory } from "./paths.ts";
import { clusterProgram, type Program, stackFileOf } from "./program.ts";
import { destroy, preview, RunFailed, up } from "./runner/index.ts";
import { inNamespace } from "./shell.ts";

/** Counts of operations by kind. */
export type Summary = Record<"create" | "update" | "replace" | "delete" | "same", number>;

/** Whatever executes the program: Pulumi's engine, or the lab's own runner where that cannot be had. */
export interface Engine {
  readonly name: string;
  /** @throws where a resource failed; what was done until then stays in the state. */
  up(signal?: AbortSignal): Promise<Summary>;
  preview(): Promise<Summary>;
  destroy(env?: Record<string, string>): Promise<void>;
  outputs(): Promise<Record<string, unknown>>;
  /** The whole state as text, to search it for what must not be there. */
  exportedState(): Promise<string>;
}

const stateDirectory = join(runDirectory, "state");

/** The release of the CLI's npm package that is taken where no `pulumi` is on PATH. */
const pulumiPackage = "pulumi@3.265.0";

/**
 * Pulumi's engine where it is on PATH, or where its npm package can download it; otherwise the
 * runner. OSLO_LAB_ENGINE=runner takes the runner in any case.
 *
 * @param program what to run. @default the project itself
 */
export async function chooseEngine(
  facts: LabFacts,
  program: Program = clusterProgram,
): Promise<Engine> {
  const pulumi = await findPulumi(facts.pulumi);
  return pulumi ? pulumiEngine(facts, program, pulumi) : runnerEngine(facts, program);
}

/** Pulumi's CLI, and where what it starts comes from: its own plugins, or the lab's. */
export interface Cli {
  command: string[];
  plugins: "upstream" | "own";
}

/**
 * A Pulumi CLI that runs; unless the runner is asked for.
 * @param built one that the lab has built. @default none
 */
export async function findPulumi(built?: string): Promise<Cli | undefined> {
  if (process.env.OSLO_LAB_ENGINE === "runner") return undefined;
  for (const command of [["pulumi"], ["npx", "--yes", pulumiPackage]]) {
    const [file = "", ...args] = command;
    const quietly = { cwd: clusterProgram.directory, reject: false, timeout: 300_000 } as const;
    if ((await execa(file, [...args, "version"], quietly)).exitCode !== 0) continue;
    // Here, where there may be a way out; inside the lab's network there is none.
    const { exitCode } = await execa(file, [...args, "plugin", "install"], quietly);
    return { command, plugins: exitCode === 0 ? "upstream" : "own" };
  }
  return built === undefined ? undefined : { command: [built], plugins: "own" };
}

/** What a command of the lab needs to reach the hosts. */
export function labEnvironment(facts: LabFacts): Record<string, string> {
  const tools = [facts.helm, facts.kubectl].map((tool) => join(tool, ".."));
  return {
    SSH_AUTH_SOCK: facts.sshAuthSock,
    PATH: [...tools, process.env.PATH].join(":"),
  };
}

const ownPlugins = join(import.meta.dirname, "plugins/bin");

/** The environment in which a CLI works on the lab's stacks. */
export function engineEnvironment(facts: LabFacts, { plugins }: Cli): Record<string, string> {
  const { PATH = "", ...environment } = labEnvironment(facts);
  const first = plugins === "own" ? [ownPlugins, dirname(process.execPath)] : [];
  return {
    ...environment,
    PATH: [...first, PATH].join(":"),
    ...(plugins === "own" ? { PULUMI_HOME: join(runDirectory, "pulumi") } : {}),
    PULUMI_BACKEND_URL: `file://${stateDirectory}`,
    PULUMI_CONFIG_PASSPHRASE: "lab",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

/** Pulumi's engine on the lab's stack of a program. */
export function pulumiEngine(facts: LabFacts, program: Program, cli: Cli): Engine {
  const environment = engineEnvironment(facts, cli);
  const pulumi = async (
    args: string[],
    options: { signal?: AbortSignal; env?: object; quiet?: boolean } = {},
  ) => {
    const [command = "", ...rest] = inNamespace(facts.netns, [...cli.command, ...args]);
    return execa(command, [...rest, "--non-interactive", "--stack", "lab"], {
      cwd: program.directory,
      env: { ...environment, ...options.env },
      stdout: options.quiet ? "pipe" : ["pipe", "inherit"],
      stderr: options.quiet ? "pipe" : ["pipe", "inherit"],
      ...(options.signal ? { cancelSignal: options.signal, forceKillAfterDelay: 1000 } : {}),
    });
  };
  const operate = ["--suppress-permalink=true"];
  const ready = async () => {
    const stack = join(stateDirectory, `.pulumi/stacks/${program.project}/lab.json`);
    if (!existsSync(stack)) {
      await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
      await pulumi(["stack", "init"], { quiet: true });
    } else await pulumi(["cancel", "--yes"], { quiet: true }); // the lock of a run that was killed
  };
  return {
    name: "Pulumi's engine",
    up: async (signal) => {
      await ready();
      const { stdout } = await pulumi(["up", "--yes", "--skip-preview", ...operate], { signal });
      return summaryOf(String(stdout));
    },
    preview: async () => {
      await ready();
      const { stdout } = await pulumi(["preview", "--json", ...operate], { quiet: true });
      const { changeSummary } = JSON.parse(String(stdout)) as { changeSummary: Partial<Summary> };
      return { ...nothing, ...changeSummary };
    },
    destroy: async (env) => {
      await ready();
      // What stands on a dead machine holds up nothing that stands elsewhere.
      const all = ["destroy", "--yes", "--skip-preview", "--continue-on-error"];
      await pulumi([...all, ...operate], { env });
    },
    outputs: async () => {
      const { stdout } = await pulumi(["stack", "output", "--json", "--show-secrets"], {
        quiet: true,
      });
      return JSON.parse(String(stdout));
    },
    exportedState: async () => String((await pulumi(["stack", "export"], { quiet: true })).stdout),
  };
}

const nothing: Summary = { create: 0, update: 0, replace: 0, delete: 0, same: 0 };

/** Reads Pulumi's closing lines: `+ 12 created`, `43 unchanged`. */
function summaryOf(output: string): Summary {
  const start = output.lastIndexOf("\nResources:");
  if (start === -1) throw new Error(`Pulumi printed no summary: ${output.slice(-500)}`);
  const closing = output.slice(start);
  const count = (word: string) => Number(closing.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return {
    create: count("created"),
    update: count("updated"),
    replace: count("replaced"),
    delete: count("deleted"),
    same: count("unchanged"),
  };
}

function runnerEngine(facts: LabFacts, { directory, project }: Program): Engine {
  const stateFile = join(stateDirectory, `${project}.json`);
  const options = {
    stateFile,
    env: labEnvironment(facts),
    kubectl: facts.kubectl,
    helm: facts.helm,
    prefix: inNamespace(facts.netns, []),
  };
  const program = {
    ...options,
    program: join(directory, "index.ts"),
    stackFile: stackFileOf({ directory, project }),
    project,
  };
  let outputs: Record<string, unknown> = {};
  return {
    name: "the lab's runner",
    up: async (signal) => {
      const result = await up({ ...program, ...(signal ? { cancelSignal: signal } : {}) });
      outputs = result.outputs;
      return result.summary;
    },
    preview: async () => (await preview(program)).summary,
    destroy: async (env) => {
      await destroy({ ...options, env: { ...options.env, ...env } });
    },
    outputs: async () => outputs,
    exportedState: async () => {
      const { readFile } = await import("node:fs/promises");
      return existsSync(stateFile) ? readFile(stateFile, "utf8") : "";
    },
  };
}

/** Forgets every stack of the lab. */
export async function forgetState(): Promise<void> {
  await rm(stateDirectory, { recursive: true, force: true });
}

export { RunFailed };
