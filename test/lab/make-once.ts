import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { hold } from "../../commands/ephemeral/locks.ts";

/** How long another process may take, in seconds. */
const patience = 2 * 60 * 60;

/**
 * Makes a directory once: an existing one is taken as it is, one that another process makes is waited for, and one
 * that is being made gets its name only when it is complete, so that an interrupted run leaves nothing half done.
 *
 * @returns the directory's path
 * @throws where another process takes longer than two hours
 */
export async function makeOnce(
  directory: string,
  make: (partial: string) => Promise<void>,
): Promise<string> {
  if (existsSync(directory)) return directory;
  await mkdir(dirname(directory), { recursive: true });
  await using lock = await hold(`${directory}.lock`, patience);
  if (lock === undefined)
    throw new Error(`${directory}: another process makes it for ${patience} s`);
  const partial = `${directory}.partial-${process.pid}`;
  try {
    if (existsSync(directory)) return directory;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    await make(partial);
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return directory;
}
