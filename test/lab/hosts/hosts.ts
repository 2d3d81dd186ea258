import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDirectory } from "../paths.ts";
import {
  killAll,
  killGroup,
  logFile,
  processesIn,
  runningProcess,
  startProcess,
} from "../processes.ts";
import { hostNamespace, segment } from "../segment.ts";
import { run, succeeds, waitFor } from "../shell.ts";
import { below, cgroups, removeCgroups } from "./cgroups.ts";
import { type DiskImage, discardDisk, diskPaths, ensureDisk } from "./disk.ts";
import { attachArguments, type Host } from "./host.ts";
import { discardHostKey, onHost, writeKnownHosts } from "./keys.ts";

const tableFile = join(runDirectory, "hosts.json");

/** Seconds within which a host must answer SSH; a boot takes about one. */
const bootDeadline = 180;

/** A host and what its disk starts from. */
export interface Machine {
  host: Host;
  image: DiskImage;
}

/**
 * Boots hosts side by side and waits until each answers SSH. One that runs stays as it is.
 */
export async function startHosts(machines: readonly Machine[]): Promise<void> {
  await writeFile(tableFile, JSON.stringify(machines));
  await writeKnownHosts(machines.map(({ host }) => host));
  await Promise.all(machines.map(boot));
}

/** Boots one host with the disk it has. */
export async function startHost(name: string): Promise<void> {
  await boot(find(name));
}

/** Cuts one host's power: nothing in it gets a chance to finish, and nothing at its address answers. */
export async function stopHost(name: string): Promise<void> {
  const { host } = find(name);
  await powerOff(host.name);
}

/** Empties a directory of /var/lib that is a file system of its own. The host must be off. */
export async function emptyDisk(name: string, directory: string): Promise<void> {
  const path = join(diskPaths(find(name).host.name).state, directory);
  await rm(path, { recursive: true });
  await mkdir(path);
}

/** Boots one host with a new disk and a new machine-id; its SSH host key stays. */
export async function resetHost(name: string): Promise<void> {
  const machine = find(name);
  await powerOff(name);
  await discardDisk(name);
  await boot(machine);
}

/**
 * Boots one host as a provider does that has built the machine again: new disk, machine-id and host
 * key, under the same name and addresses.
 */
export async function rebuildHost(name: string): Promise<void> {
  await powerOff(find(name).host.name);
  await discardHostKey(name);
  await writeKnownHosts(readTable().map(({ host }) => host));
  await resetHost(name);
}

/** Asks a host to reboot itself in good order and waits until it answers SSH again. */
export async function rebootHost(name: string): Promise<void> {
  const { host } = find(name);
  const bootTime = "systemctl show --value --property=UserspaceTimestampMonotonic";
  const before = await onHost(host, bootTime);
  await onHost(host, "systemctl reboot").catch(() => undefined);
  await waitFor(`${name} to reboot (see ${logFile(name)})`, bootDeadline, async () => {
    const now = await onHost(host, bootTime).catch(() => before);
    return now !== before;
  });
}

/**
 * Ends everything in a host, its network stack too, also what an earlier run of the lab left behind. Its links
 * are the first to go, or the kernel would end the connections of killed processes in good order.
 */
export async function powerOff(name: string): Promise<void> {
  for (const link of ["eth0", "eth1"]) {
    const of = (verb: string) => ["-n", hostNamespace(name), "link", verb, link];
    if (await succeeds("ip", of("show"))) await run("ip", of("delete"));
  }
  const supervisor = runningProcess(name);
  if (supervisor) await killGroup(`the supervisor of ${name}`, supervisor);
  // The host's init takes all of its descendants with it, whatever namespaces they are in.
  const inside = await processesIn(hostNamespace(name));
  await killAll(`the init of ${name}`, inside.filter(isInit));
  await killAll(`the processes of ${name}`, await processesIn(hostNamespace(name)));
  if (existsSync(`/run/netns/${hostNamespace(name)}`)) {
    await run("ip", ["netns", "delete", hostNamespace(name)]);
  }
  // No machine boots with groups of its former pods: a kubelet waits seconds for each of these.
  await removeCgroups(below(cgroups(segment.netns, name)));
}

/** Gives a process a share of the processor together with those of a host, where hosts have one. */
export async function joinCgroup(name: string, pid: number): Promise<void> {
  const group = join("/sys/fs/cgroup/cpu", segment.netns, find(name).host.name, "cgroup.procs");
  if (existsSync(group)) await writeFile(group, String(pid));
}

async function boot({ host, image }: Machine): Promise<void> {
  await ensureDisk(host, image);
  const { root, state } = diskPaths(host.name);
  const script = join(import.meta.dirname, "boot-host.sh");
  const disk = [root, state, image.plainDirectories.join(" ")];
  const supervisor = ["bash", script, host.name, ...disk, ...attachArguments(host)];
  await startProcess(host.name, existsSync("/run/systemd/system") ? scope(supervisor) : supervisor);
  await waitFor(
    `${host.name} to answer SSH (see ${logFile(host.name)})`,
    bootDeadline,
    async () => {
      if (!runningProcess(host.name)) {
        throw new Error(`${host.name}: did not boot; its log is ${logFile(host.name)}`);
      }
      return onHost(host, "true").then(
        () => true,
        () => false,
      );
    },
  );
}

/** Where systemd is init, a host's cgroup is a scope that systemd delegates. */
function scope(command: readonly string[]): string[] {
  return ["systemd-run", "--scope", "--quiet", "--property=Delegate=yes", "--", ...command];
}

/** True for the init of a host: process 1 of a process namespace right below this one. */
function isInit(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return /^NSpid:\t\d+\t1$/m.test(status);
  } catch {
    return false;
  }
}

function find(name: string): Machine {
  const machines = readTable();
  const machine = machines.find(({ host }) => host.name === name);
  if (!machine) {
    const known = machines.map(({ host }) => host.name).join(", ");
    throw new Error(`host '${name}': not in the lab; it has ${known || "no hosts: bring it up"}`);
  }
  return machine;
}

function readTable(): Machine[] {
  if (!existsSync(tableFile)) throw new Error("The lab is not up; bring it up first.");
  return JSON.parse(readFileSync(tableFile, "utf8")) as Machine[];
}
