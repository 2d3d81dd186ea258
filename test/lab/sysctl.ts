import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskDirectory } from "./paths.ts";

/** Kernel settings that hosts share with this machine, since no namespace holds them. */
const shared = ["fs", "kernel", "net/core", "net/netfilter", "vm"];

/** Settings that change on their own, or do something when written. */
const volatile =
  /^kernel\/(random|ns_last_pid|pty|sched_domain|keys)|^fs\/(binfmt_misc|.*-state|.*-nr)|vm\/(drop_caches|compact_memory|stat_refresh)/;

const snapshotFile = join(diskDirectory, "sysctl.json");

/** Remembers this machine's settings before hosts change them, unless a snapshot is there. */
export async function rememberSysctls(): Promise<void> {
  if (existsSync(snapshotFile)) return;
  await mkdir(dirname(snapshotFile), { recursive: true });
  await writeFile(snapshotFile, JSON.stringify(readAll()));
}

/**
 * Gives this machine back the settings that hosts changed.
 *
 * @returns the names of those settings
 */
export function restoreSysctls(): string[] {
  if (!existsSync(snapshotFile)) return [];
  const before = JSON.parse(readFileSync(snapshotFile, "utf8")) as Record<string, string>;
  const now = readAll();
  const restored: string[] = [];
  for (const [name, value] of Object.entries(before)) {
    if (now[name] === undefined || now[name] === value) continue;
    try {
      writeFileSync(join("/proc/sys", name), value);
      restored.push(name);
    } catch {
      // Read-only here: then no host can have written it either.
    }
  }
  return restored;
}

function readAll(): Record<string, string> {
  const values: Record<string, string> = {};
  for (const directory of shared) {
    const root = join("/proc/sys", directory);
    if (!existsSync(root)) continue;
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const name = join(entry.parentPath, entry.name).slice("/proc/sys/".length);
      if (!entry.isFile() || volatile.test(name)) continue;
      try {
        values[name] = readFileSync(join("/proc/sys", name), "utf8").trim();
      } catch {
        // Some settings can only be written.
      }
    }
  }
  return values;
}
