import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory } from "./paths.ts";
import { run, waitFor } from "./shell.ts";

const processDirectory = join(runDirectory, "processes");

/** Where a background process of the lab writes its output. */
export function logFile(name: string): string {
  return join(runDirectory, "logs", `${name}.log`);
}

/** The lines of a log that are JSON objects, but for a last one that is yet to end. */
export function objectsOf<T>(log: string): T[] {
  const lines = log.split("\n").slice(0, -1);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as T);
}

/** Starts a process that outlives this one, unless it is running already. */
export async function startProcess(name: string, command: readonly string[]): Promise<void> {
  if (runningProcess(name)) return;
  await mkdir(join(runDirectory, "logs"), { recursive: true });
  await mkdir(processDirectory, { recursive: true });
  const log = openSync(logFile(name), "a");
  const [file = "", ...args] = command;
  const child = spawn(file, args, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  child.unref();
  const { pid = 0 } = child;
  await writeFile(join(processDirectory, name), `${pid} ${startTime(pid) ?? ""}`);
}

/** The process id, if the process that startProcess started is still alive. */
export function runningProcess(name: string): number | undefined {
  const file = join(processDirectory, name);
  if (!existsSync(file)) return undefined;
  const [pid = "", started] = readFileSync(file, "utf8").split(" ");
  return started && startTime(Number(pid)) === started ? Number(pid) : undefined;
}

/** The ids of all processes in a network namespace. */
export async function processesIn(netns: string): Promise<number[]> {
  if (!existsSync(`/run/netns/${netns}`)) return [];
  const output = await run("ip", ["netns", "pids", netns], { reject: false });
  return output.split("\n").filter(Boolean).map(Number);
}

/** Kills processes and waits until they are gone. */
export async function killAll(what: string, pids: readonly number[]): Promise<void> {
  await killEach(what, pids, (pid) => process.kill(pid, "SIGKILL"));
}

/** Kills a process that startProcess started, and its children that made no group of their own. */
export async function killGroup(what: string, leader: number): Promise<void> {
  await killEach(what, [leader], () => process.kill(-leader, "SIGKILL"));
}

async function killEach(
  what: string,
  pids: readonly number[],
  kill: (pid: number) => void,
): Promise<void> {
  const alive = new Map(pids.map((pid) => [pid, startTime(pid)]));
  for (const pid of pids) {
    try {
      kill(pid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  await waitFor(`${what} to end`, 60, () =>
    [...alive].every(([pid, started]) => started === undefined || startTime(pid) !== started),
  );
}

/** Clock ticks at which a process started; undefined when it is gone or a zombie. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
