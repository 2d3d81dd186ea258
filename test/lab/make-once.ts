import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { execa } from "execa";

/**
 * Makes a directory once: an existing one is taken as it is, one that another process makes is waited for, and one
 * that is being made gets its name only when it is complete, so that an interrupted run leaves nothing half done.
 *
 * @returns the directory's path
 */
export async function makeOnce(
  directory: string,
  make: (partial: string) => Promise<void>,
): Promise<string> {
  if (existsSync(directory)) return directory;
  await mkdir(dirname(directory), { recursive: true });
  const release = await lock(`${directory}.lock`);
  const partial = `${directory}.partial-${process.pid}`;
  try {
    if (existsSync(directory)) return directory;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    await make(partial);
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
    await release();
  }
  return directory;
}

/** Waits for a lock. It ends with this process, however that ends. @returns what releases it */
async function lock(file: string): Promise<() => Promise<unknown>> {
  const holder = execa("flock", [file, "sh", "-c", "echo locked; exec cat"], { buffer: false });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", resolve);
    holder.catch(reject);
  });
  return () => {
    holder.stdin.end();
    return holder;
  };
}
