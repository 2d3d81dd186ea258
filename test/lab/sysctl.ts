import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hold } from "../../commands/ephemeral/locks.ts";
import { labName } from "./paths.ts";

/** Kernel settings that hosts share with this machine, since no namespace holds them. */
const directories = ["fs", "kernel", "net/core", "net/netfilter", "vm"];

/** Settings that change on their own, or do something when written. */
const volatile =
  /^kernel\/(random|ns_last_pid|pty|sched_domain|keys)|^fs\/(binfmt_misc|.*-state|.*-nr)|vm\/(drop_caches|compact_memory|stat_refresh)/;

/**
 * Settings that count for all hosts together, at least. Debian's 128 instances are enough for five: a sixth host's
 * kubelet would not start.
 */
const least: Readonly<Record<string, string>> = { "fs/inotify/max_user_instances": "8192" };

/** What the labs of this machine share, until it restarts: so do the settings. */
interface Shared {
  /** The settings before the first of them. */
  before: Record<string, string>;
  /** Names of those that are up. */
  labs: string[];
}

/** The settings of this machine that hosts of labs change. */
export class Sysctls {
  private readonly lab: string;
  private readonly run: string;
  private readonly root: string;

  /**
   * @param lab whose hosts change them. @default this one
   * @param run a directory that is emptied as the machine restarts. @default /run
   * @param root @default /proc/sys
   */
  constructor(lab = labName, run = "/run", root = "/proc/sys") {
    [this.lab, this.run, this.root] = [lab, run, root];
  }

  /** Remembers the settings before hosts change them, unless a lab has already, and raises those that hosts run out of. */
  async prepare(): Promise<void> {
    await using _lock = await this.lock();
    const now = this.readAll();
    const { before, labs } = this.shared ?? { before: now, labs: [] };
    this.shared = { before, labs: [...new Set([...labs, this.lab])] };
    const low = Object.entries(least).filter(([name, value]) => Number(now[name]) < Number(value));
    this.write(Object.fromEntries(low));
  }

  /**
   * Gives the machine back the settings that hosts changed, once no lab is up any more.
   *
   * @returns the names of those settings
   */
  async restore(): Promise<string[]> {
    await using _lock = await this.lock();
    const { before = {}, labs = [] } = this.shared ?? {};
    if (!labs.includes(this.lab)) return [];
    const others = labs.filter((lab) => lab !== this.lab);
    if (others.length > 0) {
      this.shared = { before, labs: others };
      return [];
    }
    const restored = this.write(before);
    rmSync(this.file);
    return restored;
  }

  private get file(): string {
    return join(this.run, "oslo-lab-sysctl.json");
  }

  private get shared(): Shared | undefined {
    return existsSync(this.file) ? JSON.parse(readFileSync(this.file, "utf8")) : undefined;
  }

  private set shared(shared: Shared) {
    writeFileSync(this.file, JSON.stringify(shared));
  }

  /** The directory itself, so that no file of a lock is left behind. */
  private async lock(): Promise<AsyncDisposable> {
    const lock = await hold(this.run, 60);
    if (lock === undefined) throw new Error(`${this.run}: locked for 60 s; see lslocks`);
    return lock;
  }

  private write(settings: Record<string, string>): string[] {
    const now = this.readAll();
    const written: string[] = [];
    for (const [name, value] of Object.entries(settings)) {
      if (now[name] === undefined || now[name] === value) continue;
      try {
        writeFileSync(join(this.root, name), value);
        written.push(name);
      } catch {
        // Read-only here: then no host can have written it either.
      }
    }
    return written;
  }

  private readAll(): Record<string, string> {
    const values: Record<string, string> = {};
    for (const directory of directories) {
      const root = join(this.root, directory);
      if (!existsSync(root)) continue;
      for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
        const name = join(entry.parentPath, entry.name).slice(this.root.length + 1);
        if (!entry.isFile() || volatile.test(name)) continue;
        try {
          values[name] = readFileSync(join(this.root, name), "utf8").trim();
        } catch {
          // Some settings can only be written.
        }
      }
    }
    return values;
  }
}
