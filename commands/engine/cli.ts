import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Pulumi's CLI on PATH; undefined where there is none. */
export function pulumiOnPath(path = process.env.PATH ?? ""): string | undefined {
  for (const directory of path.split(delimiter)) {
    const file = join(directory, "pulumi");
    try {
      accessSync(file, constants.X_OK);
      // A directory of that name may be entered, and that is the same right.
      if (statSync(file).isFile()) return file;
    } catch {}
  }
  return undefined;
}

export interface CliOptions {
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Gets what it prints, as it comes. */
  onOutput?: (text: string) => void;
  /** Asks the engine to stop, which then ends what it has begun. */
  signal?: AbortSignal;
  /** Kills the CLI at once, as a crash would. */
  kill?: AbortSignal;
  /** Seconds after which it is killed. @default none */
  limit?: number;
}

/** A call of the CLI that did not succeed. */
export class PulumiFailed extends Error {
  readonly stdout: string;
  /** All that it printed, as it came. */
  readonly printed: string;

  constructor(message: string, stdout: string, printed: string) {
    super(message);
    this.stdout = stdout;
    this.printed = printed;
  }
}

/**
 * Runs the CLI to its end and answers its standard output.
 * @throws PulumiFailed with the errors' own lines; ENOENT where there is no CLI
 */
export function callPulumi(
  [file = "", ...args]: readonly string[],
  { env, onOutput, signal, kill, limit }: CliOptions = {},
): Promise<string> {
  const child = spawn(file, args, {
    env: { ...compressed(), ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(limit === undefined ? {} : { timeout: limit * 1000, killSignal: "SIGKILL" as const }),
  });
  const interrupt = () => child.kill("SIGINT");
  const end = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", interrupt);
  kill?.addEventListener("abort", end);
  let [stdout, printed] = ["", ""];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      if (stream === child.stdout) stdout += text;
      printed += text;
      onOutput?.(text);
    });
  }
  return new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, by) => {
      if (status === 0) resolve(stdout);
      else reject(new PulumiFailed(reason(printed, status, by, limit), stdout, printed));
    });
  }).finally(() => {
    signal?.removeEventListener("abort", interrupt);
    kill?.removeEventListener("abort", end);
  });
}

/**
 * A backend of one's own gets the whole state after each resource: compressed, it is a twentieth to be written
 * or sent. The CLI reads every form; a form that the operator has chosen stays.
 */
function compressed({ PULUMI_DIY_BACKEND_GZIP: gzip } = process.env): Record<string, string> {
  return gzip === undefined ? { PULUMI_DIY_BACKEND_ZSTD: "true" } : {};
}

/** The errors' own lines, each once: what surrounds them has been shown. */
function reason(
  printed: string,
  status: number | null,
  by: NodeJS.Signals | null,
  limit: number | undefined,
): string {
  if (by === "SIGKILL" && limit !== undefined) return `no answer within ${limit} seconds`;
  const lines = printed.split("\n").map((line) => line.trim());
  const errors = [...new Set(lines.filter((line) => /^error:/i.test(line)))].slice(0, 5);
  if (errors.length > 0) return errors.join("\n  ");
  return lines.filter(Boolean).pop() ?? `ended with ${by ?? status}`;
}
