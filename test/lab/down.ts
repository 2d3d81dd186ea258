import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { cgroups, removeCgroups } from "./hosts/cgroups.ts";
import { powerOff } from "./hosts/hosts.ts";
import { diskDirectory, labName, runDirectory } from "./paths.ts";
import { killAll, killGroup, processesIn, runningProcess } from "./processes.ts";
import { hostNamespace, segment } from "./segment.ts";
import { run } from "./shell.ts";
import { Sysctls } from "./sysctl.ts";

/**
 * Ends every process of the lab and removes its mounts, namespaces, cgroups, sockets and disks. It
 * works from what it finds on this machine, so it also cleans up after a run that crashed. The
 * cache stays.
 */
export async function down(): Promise<void> {
  const hosts = namespaces()
    .filter((name) => name !== segment.netns)
    .map((name) => name.slice(hostNamespace("").length));
  await Promise.all(hosts.map(powerOff));
  await endSupervisors();
  await killAll("the mirrors", (await processesIn(segment.netns)).filter(isNotOurs));
  await unmountAll();
  for (const name of namespaces()) await run("ip", ["netns", "delete", name]);
  await removeNamespaceDirectory();
  await removeCgroups(cgroups(labName));
  await new Sysctls().restore();
  await removeContainerDirectories();
  await rm(diskDirectory, { recursive: true, force: true });
  await rm(runDirectory, { recursive: true, force: true });
}

/** `ip netns` mounts its directory over itself; one without a namespace is of no use to anybody. */
async function removeNamespaceDirectory(): Promise<void> {
  const directory = "/run/netns";
  if (!existsSync(directory) || readdirSync(directory).length > 0) return;
  await run("umount", [directory], { reject: false });
  rmdirSync(directory);
}

/** systemd-nspawn keeps its directories for killed containers, and its own when they are empty. */
async function removeContainerDirectories(): Promise<void> {
  const parent = "/run/systemd/nspawn";
  for (const directory of [join(parent, "propagate"), join(parent, "unix-export"), parent]) {
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory)) {
      if (name.startsWith(hostNamespace(""))) {
        await rm(join(directory, name), { recursive: true, force: true });
      }
    }
    if (readdirSync(directory).length === 0) rmdirSync(directory);
  }
}

function namespaces(): string[] {
  if (!existsSync("/run/netns")) return [];
  return readdirSync("/run/netns").filter(
    (name) => name === segment.netns || name.startsWith(hostNamespace("")),
  );
}

/** What the lab started and is not in one of its namespaces, such as a host that is just booting. */
async function endSupervisors(): Promise<void> {
  const directory = join(runDirectory, "processes");
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const pid = runningProcess(name);
    if (pid) await killGroup(name, pid);
  }
}

/** This process and its ancestors, should the command itself run in the lab's namespace. */
function isNotOurs(pid: number): boolean {
  for (let own = process.pid; own > 1; ) {
    if (own === pid) return false;
    const stat = readFileSync(`/proc/${own}/stat`, "utf8");
    own = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  }
  return true;
}

async function unmountAll(): Promise<void> {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${runDirectory}/`) || path.startsWith(`${diskDirectory}/`));
  for (const path of mounts.reverse()) {
    const [ordinary, lazy] = [[path], ["--lazy", path]];
    await run("umount", ordinary).catch(() => run("umount", lazy));
  }
}
