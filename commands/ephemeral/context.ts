import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Backend } from "./backend.ts";
import type { Leftover } from "./leftovers.ts";
import { type Locks, localDirectory } from "./locks.ts";
import { Refusal } from "./refusal.ts";
import { type EphemeralRecord, nameOf, readRecord, stackOf, type Tags } from "./stack-tags.ts";

/** What operations on ephemeral clusters work with; tests put others in its place. */
export interface OperationContext {
  backend: Backend;
  locks: Locks;
  /** This machine, that distinguishes its operations from others'. */
  host: string;
  now: () => Date;
  /** Progress, for people. */
  say: (line: string) => void;
  /** The engine's own output. */
  onOutput: (text: string) => void;
  files: StackFiles;
  /** Removes what controllers of a cluster ordered outside of it, while its API answers. */
  removeObjects: (kubeconfig: string, seconds: number) => Promise<Leftover[]>;
  /** Waits so many milliseconds. */
  pause: (milliseconds: number) => Promise<void>;
  /** Ends the engine's work, gracefully. */
  signal?: AbortSignal;
}

/** Where the engine looks for a stack's configuration, on this machine. */
export interface StackFiles {
  write(stack: string, sections: Record<string, unknown>): void;
  remove(stack: string): void;
}

/** Names that stacks and clusters can be called by; the cluster's whole name is checked with the rest. */
export function checkName(name: string): void {
  if (/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/.test(name)) return;
  throw new Refusal(
    `${name}: not a name for an ephemeral cluster; use lower-case letters, digits and inner hyphens, at most 30, such as pr-17`,
  );
}

/**
 * This machine and its locks, among those that share a backend: cloned runners have one name, and two
 * users of one machine do not see each other's locks.
 */
export function thisHost(): string {
  let id = "";
  try {
    id = readFileSync("/etc/machine-id", "utf8").trim();
  } catch {}
  const digest = createHash("sha256")
    .update(`${id} ${hostname()} ${localDirectory()}`)
    .digest("hex")
    .slice(0, 8);
  return `${hostname().slice(0, 40)}-${digest}`;
}

/** Every ephemeral stack; those without an expiry have no record, and are not touched. */
export async function records(
  backend: Backend,
): Promise<{ name: string; record: EphemeralRecord | undefined }[]> {
  const names = (await backend.stacks()).flatMap((stack) => nameOf(stack) ?? []);
  const all = [];
  for (const name of names.sort()) {
    const tags = await tagsIfThere(backend, stackOf(name));
    if (tags !== undefined) all.push({ name, record: readRecord(name, tags) });
  }
  return all;
}

/** Another `down` may remove a stack between two questions. */
async function tagsIfThere(backend: Backend, stack: string): Promise<Tags | undefined> {
  try {
    return await backend.tags(stack);
  } catch (error) {
    if ((await backend.stacks()).includes(stack)) throw error;
    return undefined;
  }
}
