/**
 * Runs the project's Pulumi program where Pulumi's engine cannot be had: the same program,
 * really executed, through the SDK's test seam. Used by the lab alone.
 */
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { RunResult } from "./result.ts";

export type { Operation } from "./decide.ts";
export type { Timing } from "./engine.ts";
export type { RunResult } from "./result.ts";

/** What every run needs. */
export interface RunOptions {
  /** File that keeps the resources between runs, mode 0600; made when missing. */
  stateFile: string;
  /** Added to this process's environment, for the program and all commands. */
  env?: Record<string, string>;
  /** @default "kubectl", from PATH */
  kubectl?: string;
  /** helm 3. @default "helm", from PATH */
  helm?: string;
  /** Operations at a time. @default 10 */
  parallel?: number;
  /** A command that runs what follows it, such as `nsenter --net=… --`. @default none */
  prefix?: readonly string[];
  /** Gets every line of progress. @default printed on standard output */
  log?: (line: string) => void;
  /** Stops the run and everything it started, in order. */
  cancelSignal?: AbortSignal;
}

/** A run of a program. */
export interface ProgramOptions extends RunOptions {
  /** The program's entry file. */
  program: string;
  /** `Pulumi.<stack>.yaml`, whose `config` is the program's configuration. */
  stackFile: string;
  /** @default the `name` in the Pulumi.yaml beside the program */
  project?: string;
}

/** A run that did not reach its end; `result` is what it did. */
export class RunFailed extends Error {
  readonly result: RunResult | undefined;

  constructor(message: string, result: RunResult | undefined) {
    super(message);
    this.name = "RunFailed";
    this.result = result;
  }
}

/**
 * Brings everything to what the program describes, and deletes what it no longer describes.
 *
 * @throws RunFailed with all errors; what was done until then is in the state.
 */
export function up(options: ProgramOptions & { preview?: boolean }): Promise<RunResult> {
  const { program, stackFile, project, preview = false } = options;
  const flags = { program, "stack-file": stackFile, project };
  return start(preview ? "preview" : "up", options, flags);
}

/** What `up` would do, without doing any of it: in `summary` and `timings`. */
export function preview(options: ProgramOptions): Promise<RunResult> {
  return up({ ...options, preview: true });
}

/** Deletes everything in the state, in reverse. */
export function destroy(options: RunOptions): Promise<RunResult> {
  return start("destroy", options, {});
}

const entry = fileURLToPath(new URL("run.ts", import.meta.url));

/** The SDK loads in half the time from compiled code. */
const NODE_COMPILE_CACHE = fileURLToPath(
  new URL("../../../node_modules/.cache/compiled", import.meta.url),
);

/** Time that a stopped run gets to end its children, in milliseconds. */
const stopTimeout = 30_000;

async function start(
  command: string,
  options: RunOptions,
  more: Record<string, string | undefined>,
): Promise<RunResult> {
  const { stateFile, kubectl, helm, parallel, env, cancelSignal } = options;
  const { prefix = [], log = console.log } = options;
  const flags = { state: stateFile, kubectl, helm, parallel, ...more };
  const [file = "", ...args] = [...prefix, process.execPath, entry, command, ...asArguments(flags)];
  const child = execa(file, args, {
    env: { NODE_COMPILE_CACHE, ...env },
    ipc: true,
    stdin: "ignore",
    stdout: eachLine(log),
    stderr: eachLine(log),
    reject: false,
    forceKillAfterDelay: stopTimeout,
    ...(cancelSignal ? { cancelSignal } : {}),
  });
  const { ipcOutput, exitCode, signal, stdout } = await child;
  const result = ipcOutput.at(-1) as RunResult | undefined;
  if (exitCode === 0 && result) return result;
  const ending = signal ? `killed by ${signal}` : `exit status ${exitCode}`;
  const errors = result?.errors ?? [String(stdout).split("\n").at(-1)];
  throw new RunFailed([`${command} failed (${ending})`, ...errors].join("\n- "), result);
}

function asArguments(flags: Record<string, string | number | undefined>): string[] {
  return Object.entries(flags).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
}

function eachLine(log: (line: string) => void) {
  return [
    function* tell(line: unknown) {
      log(String(line));
      yield line;
    },
  ];
}
