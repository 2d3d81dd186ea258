import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { runProcess } from "../../steps/ssh/process.ts";

/** Where everything of ephemeral clusters is kept that belongs to this machine alone. */
export function localDirectory(): string {
  const state = process.env.XDG_STATE_HOME || join(homedir(), ".local/state");
  const directory = join(state, "oslo-cluster/ephemeral");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Locks of this machine, on one backend. They end with the process that holds them, however it ends. */
export interface Locks {
  /** One operation at a time for each name. Undefined where another one is at work. */
  name(name: string): Promise<AsyncDisposable | undefined>;
  /** One at a time shares out machines and VLANs. @throws where that takes longer than five minutes. */
  sharing(): Promise<AsyncDisposable>;
  /** Waits for the engine of a run that was killed: it works on. False where it does not end in time. */
  engineEnds(stack: string, seconds: number): Promise<boolean>;
}

const busy = 75;

export function locksOf(url: string): Locks {
  return {
    name: (name) => hold(fileOf(url, `name-${name}`), 0),
    sharing: async () => {
      const lock = await hold(fileOf(url, "sharing"), 300);
      if (lock) return lock;
      throw new Error(
        `${fileOf(url, "sharing")}: held for five minutes; see lslocks for who holds it`,
      );
    },
    engineEnds: async (stack, seconds) => {
      const flock = ["flock", "--wait", String(seconds), "--conflict-exit-code", String(busy)];
      const { status } = await runProcess([...flock, engineLockFile(url, stack), "true"]);
      return status === 0;
    },
  };
}

/**
 * A command line under which Pulumi's engine works on a stack, in bounded time: its lock lives as long as
 * the engine and its plugins do, so that whoever comes after a run that was killed can tell an engine that
 * still works from one that is gone. After so many seconds the engine is asked to stop, two minutes later
 * it is killed.
 */
export function underLock(lockFile: string, seconds: number): string[] {
  const lock = ["--no-fork", "--nonblock", "--conflict-exit-code", String(busy), lockFile];
  const limit = ["--signal=INT", "--kill-after=120", String(Math.ceil(seconds))];
  return ["flock", ...lock, "timeout", ...limit];
}

/** The lock that Pulumi's CLI itself holds while it works on a stack. */
export function engineLockFile(url: string, stack: string): string {
  return fileOf(url, `engine-${stack}`);
}

function fileOf(url: string, name: string): string {
  const digest = createHash("sha256").update(url).digest("hex").slice(0, 12);
  const directory = join(localDirectory(), "locks", digest);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return join(directory, name);
}

/**
 * Holds a file's or a directory's lock by a process that ends with the pipe from this one. It is a session of its own: Ctrl-C
 * in a terminal would end it before the work is done.
 * @returns undefined where it is not free within so many seconds
 */
export async function hold(file: string, seconds: number): Promise<AsyncDisposable | undefined> {
  const flock = ["--wait", String(seconds), "--conflict-exit-code", String(busy), file];
  const holder = spawn("flock", [...flock, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const ended = new Promise<number>((resolve, reject) => {
    holder.on("error", reject);
    holder.on("exit", (status) => resolve(status ?? 1));
  });
  const held = new Promise<"held">((resolve) => holder.stdout.once("data", () => resolve("held")));
  const outcome = await Promise.race([held, ended]);
  if (outcome === busy) return undefined;
  if (outcome !== "held") throw new Error(`flock ${file}: ended with ${outcome}`);
  return {
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
    },
  };
}
