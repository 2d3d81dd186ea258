import { existsSync, readdirSync, readFileSync } from "node:fs";
import { diskDirectory, labName, runDirectory } from "../lab/paths.ts";

/** What the lab could leave on this machine: mounts, namespaces, cgroups, directories and processes of it. */
export function footprint(): Record<string, string[]> {
  return {
    mounts: lines("/proc/self/mounts")
      .map((line) => line.split(" ")[1] ?? "")
      .filter(ours),
    namespaces: list("/run/netns").filter(ours),
    cgroups: list("/sys/fs/cgroup").flatMap((hierarchy) =>
      list(`/sys/fs/cgroup/${hierarchy}`)
        .filter(ours)
        .map((name) => `${hierarchy}/${name}`),
    ),
    directories: [runDirectory, diskDirectory].filter(existsSync),
    processes: list("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => (existsSync(`/proc/${pid}/cmdline`) ? commandLine(pid) : ""))
      .filter((command) => command.includes(runDirectory) || command.includes(`${labName}-`)),
  };
}

function ours(name: string): boolean {
  return name.includes(labName);
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // absent, or a file
  }
}

function lines(file: string): string[] {
  return readFileSync(file, "utf8").split("\n");
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // ended meanwhile
  }
}
