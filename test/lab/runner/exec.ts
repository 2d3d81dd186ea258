import { execa } from "execa";

/** A program to run, without a shell of its own. */
export interface CommandLine {
  file: string;
  args: string[];
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Standard input; empty by default. */
  input?: string;
  onStdout?: (line: string) => void;
  onStderr?: (line: string) => void;
}

export interface Finished {
  ok: boolean;
  /** Undefined when a signal ended the program. */
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  /** "exit status 3" or "killed by SIGTERM". */
  ending: string;
}

/** Time that programs get to end by themselves once the run is stopped, in seconds. */
const graceSeconds = 10;

const groups = new Set<number>();
let stoppedBy: NodeJS.Signals | undefined;

/** The signal that stopped this run, if one did. */
export function stopSignal(): NodeJS.Signals | undefined {
  return stoppedBy;
}

/** Ends every running program with its descendants and starts none again. */
export function stopAll(signal: NodeJS.Signals): void {
  stoppedBy ??= signal;
  signalGroups("SIGTERM");
  setTimeout(() => signalGroups("SIGKILL"), graceSeconds * 1000).unref();
}

function signalGroups(signal: NodeJS.Signals): void {
  for (const group of groups) {
    try {
      process.kill(-group, signal);
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

/**
 * Runs a program to its end. It has a process group of its own, so that a stop reaches its
 * children too, and the kernel kills it when this process is killed, so that a killed run does
 * not go on working behind the back of the next one.
 */
export async function execute(command: CommandLine): Promise<Finished> {
  if (stoppedBy) throw new Error(`not started: the run was stopped by ${stoppedBy}`);
  const child = execa("setpriv", ["--pdeathsig", "KILL", "--", command.file, ...command.args], {
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    env: command.env ?? {},
    input: command.input ?? "",
    stdout: lines(command.onStdout),
    stderr: lines(command.onStderr),
    detached: true,
    cleanup: false,
    reject: false,
  });
  if (child.pid !== undefined) groups.add(child.pid);
  try {
    const { failed, exitCode, signal, stdout, stderr, code, originalMessage } = await child;
    if (code === "ENOENT") throw new Error(`cannot run ${command.file}: ${originalMessage}`);
    const ending = signal ? `killed by ${signal}` : `exit status ${exitCode}`;
    return { ok: !failed, exitCode, stdout: text(stdout), stderr: text(stderr), ending };
  } finally {
    if (child.pid !== undefined) groups.delete(child.pid);
  }
}

function lines(onLine: ((line: string) => void) | undefined) {
  return [
    function* tell(line: unknown) {
      onLine?.(String(line));
      yield line;
    },
  ];
}

function text(output: unknown): string {
  return typeof output === "string" ? output : "";
}

/** Lines of a failing program's output that go into the error. */
const tailLines = 20;

/** The error for a program that failed: how it ended and the last lines of what it said. */
export function failure(what: string, finished: Finished): Error {
  const said = (finished.stderr.trim() || finished.stdout.trim()).split("\n").slice(-tailLines);
  return new Error(`${what}: ${finished.ending}:\n${said.join("\n")}`);
}
