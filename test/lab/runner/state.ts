import { execFileSync } from "node:child_process";
import { mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Values } from "./values.ts";

/** One resource that exists. */
export interface Entry {
  urn: string;
  type: string;
  name: string;
  id: string;
  inputs: Values;
  /** What the provider added to the inputs. */
  outputs: Values;
  /** Names of inputs and outputs that are secret. */
  secrets: string[];
  /** URNs of what must outlive this resource. */
  dependencies: string[];
  /** URNs of what each input was made of. */
  propertyDependencies?: Record<string, string[]>;
  /** URN of the provider resource. */
  provider?: string;
  /** URN of the resource whose deletion takes this one with it. */
  deletedWith?: string;
  retainOnDelete?: boolean;
  /** Replaced, and still to be deleted. */
  replaced?: boolean;
  /** Deleted because of what it depends on, and still to be made anew. */
  pendingReplacement?: boolean;
}

/**
 * The resources that exist, each after everything it depends on. Every `save` replaces the file
 * in one step, so a kill at any moment loses no more than the operations that were under way.
 * Secrets are in it as plain text, readable by the owner only: it serves machines that live as
 * long as the lab does.
 */
export class State {
  private readonly file: string;
  /** Of this run, in the order in which they were finished. */
  private present: Entry[] = [];
  /** Of earlier runs, not met again in this one, and replaced ones. */
  private earlier: Entry[];

  constructor(file: string) {
    this.file = file;
    this.earlier = read(file);
  }

  all(): Entry[] {
    return [...this.present, ...this.earlier];
  }

  /** Of earlier runs and not met again in this one, each after everything it depends on. */
  notMet(): Entry[] {
    return this.earlier.filter((entry) => !entry.replaced);
  }

  find(urn: string): Entry | undefined {
    return this.all().find((entry) => entry.urn === urn && !entry.replaced);
  }

  /** Makes `entry` the resource of its URN, in the place of an earlier one. */
  put(entry: Entry): void {
    this.earlier = this.earlier.filter((old) => old.urn !== entry.urn || old.replaced);
    this.present.push(entry);
  }

  /** Makes `entry` the resource of its URN and keeps `old` to be deleted later. */
  replace(old: Entry, entry: Entry): void {
    old.replaced = true;
    this.put(entry);
  }

  remove(entry: Entry): void {
    this.present = this.present.filter((other) => other !== entry);
    this.earlier = this.earlier.filter((other) => other !== entry);
  }

  save(): void {
    const next = `${this.file}.next`;
    const text = JSON.stringify({ version: 1, resources: this.all() }, null, 1);
    writeFileSync(next, text, { mode: 0o600, flush: true });
    renameSync(next, this.file);
  }
}

function read(file: string): Entry[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const { version, resources } = JSON.parse(text) as { version: number; resources: Entry[] };
  if (version !== 1) throw new Error(`${file}: version ${version} is not 1; delete the lab first.`);
  return resources;
}

/** How long a run waits for the one before it to end, in seconds. */
const lockSeconds = 60;

/**
 * Keeps other runs away from the state for as long as this process lives. The lock belongs to
 * the open file, which `flock` borrows, so the kernel releases it however the process ends.
 */
export function lock(stateFile: string): void {
  mkdirSync(dirname(stateFile), { recursive: true });
  const file = openSync(`${stateFile}.lock`, "w", 0o600);
  try {
    execFileSync("flock", ["--exclusive", "--timeout", String(lockSeconds), "3"], {
      stdio: ["ignore", "inherit", "inherit", file],
    });
  } catch {
    throw new Error(`${stateFile}: still in use by another run after ${lockSeconds} s; end it.`);
  }
}
