import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface CommandLine {
  file: string;
  args: readonly string[];
  /** @default that of the plugin, which is the program's */
  cwd?: string;
  /** Added to the plugin's environment. */
  env?: Record<string, string>;
  /** @default empty */
  input?: string;
  onStdout?: (line: string) => void;
  onStderr?: (line: string) => void;
  /** Kills the process. */
  signal?: AbortSignal;
}

export interface Finished {
  /** Undefined where a signal ended it. */
  status: number | undefined;
  /** As Go's os/exec says it: `exit status 3`, `signal: killed`. */
  ending: string;
  stdout: string;
  stderr: string;
  /** Both, as they came. */
  output: string;
}

/** Runs a program to its end. @throws where it cannot be started. */
export async function runProgram(command: CommandLine): Promise<Finished> {
  const { file, args, cwd, env, input = "", onStdout, onStderr, signal } = command;
  const child = spawn(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    ...(signal ? { signal, killSignal: "SIGKILL" as const } : {}),
  });
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("error", (error) => (error.name === "AbortError" ? undefined : reject(error)));
    child.on("close", (status, by) => resolve([status, by]));
  });
  const all: Buffer[] = [];
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream, index) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      all.push(chunk);
    });
    const onLine = index === 0 ? onStdout : onStderr;
    if (onLine) createInterface({ input: stream }).on("line", onLine);
    return chunks;
  }) as [Buffer[], Buffer[]];
  // A program that ends without reading its input is no error.
  child.stdin.on("error", () => {}).end(input);
  const [status, by] = await ended;
  return {
    status: status ?? undefined,
    ending: by === null ? `exit status ${status}` : `signal: ${by}`,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
    output: Buffer.concat(all).toString(),
  };
}

/** Lines of a failing program's output that its error shows. */
const tailLines = 20;

/** The error for a program that failed: how it ended and the last lines of what it said. */
export function failure(what: string, { ending, output }: Finished): Error {
  return new Error(
    `${what}: ${ending}:\n${output.trim().split("\n").slice(-tailLines).join("\n")}`,
  );
}
