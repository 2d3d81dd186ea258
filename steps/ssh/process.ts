import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program of this machine that could not be started, or that failed with what it said. */
export class CommandFailed extends Error {}

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

export interface ProcessOptions {
  input?: string;
  /** Keeps its standard input open behind the input, until the signal. */
  holdsInput?: boolean;
  /** Gets what it prints, line by line, as it comes. */
  onLine?: (line: string) => void;
  env?: Record<string, string>;
  /** Ends the process. */
  signal?: AbortSignal;
}

/** Runs a command to its end. @throws CommandFailed where it cannot be started; Error where the signal ended it. */
export function runProcess(
  [command = "", ...args]: readonly string[],
  { input = "", holdsInput = false, onLine, env, signal }: ProcessOptions = {},
): Promise<Outcome> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, signal });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    output.stderr += chunk;
  });
  // What it started may hold its pipes open when it is gone.
  signal?.addEventListener("abort", () => {
    child.stdout.destroy();
    child.stderr.destroy();
  });
  child.stdin.on("error", () => {}); // a process that ended without reading; its exit code tells
  if (holdsInput) child.stdin.write(input);
  else child.stdin.end(input);
  if (onLine) createInterface({ input: child.stdout }).on("line", onLine);
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(notStarted(command, error)));
    child.on("close", (status) => resolve({ status: status ?? 1, ...output }));
  });
}

/** Runs a command; answers what it printed. @throws CommandFailed with what it said on its standard error */
export async function output(
  command: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await runProcess(command, options);
  if (status !== 0) {
    const said = (stderr.trim() || stdout.trim()).split("\n").slice(-4).join("\n");
    throw new CommandFailed(said || `${command[0]} ended with ${status}`);
  }
  return stdout;
}

/** Runs a command with this process's own terminal. @returns its exit code */
export function interact([command = "", ...args]: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(notStarted(command, error)));
    child.on("close", (status) => resolve(status ?? 1));
  });
}

function notStarted(command: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== "ENOENT") return error;
  return new CommandFailed(`${command}: not on PATH; install it on this machine`);
}
