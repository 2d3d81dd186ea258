import { randomUUID } from "node:crypto";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { diskDirectory, runDirectory } from "../paths.ts";
import { hostNamespace, segment } from "../segment.ts";
import { run, succeeds } from "../shell.ts";
import { debianSuite } from "./distribution.ts";
import type { Host } from "./host.ts";
import { hostKeyFile, operatorKey } from "./keys.ts";

/** What a fresh disk is made from. */
export interface DiskImage {
  /** Root file system of the base tree. */
  tree: string;
  /** Armoured public key of the lab's Debian mirror. */
  distributionKey: string;
  /** Directories of /var/lib that lie beside the overlay, on the file system itself. */
  plainDirectories: readonly string[];
}

/** Paths of one host's disk. */
export function diskPaths(name: string): { root: string; disk: string; state: string } {
  const disk = join(diskDirectory, name);
  return { root: join(runDirectory, "roots", name), disk, state: join(disk, "state") };
}

/** Mounts a host's disk; a new one gets the identity that a provider gives to a new VPS. */
export async function ensureDisk(host: Host, image: DiskImage): Promise<void> {
  const { root, disk } = diskPaths(host.name);
  if (await succeeds("mountpoint", ["-q", root])) return;
  const [upper, work] = [join(disk, "upper"), join(disk, "work")];
  for (const directory of [root, upper, work]) await mkdir(directory, { recursive: true });
  const layers = `lowerdir=${image.tree},upperdir=${upper},workdir=${work}`;
  await run("mount", ["-t", "overlay", "-o", layers, hostNamespace(host.name), root]);
  if (!(await succeeds("test", ["-e", join(root, "etc", "hostname")]))) {
    await personalize(host, root, image.distributionKey);
  }
}

/** Throws a host's disk away. The host must be off. */
export async function discardDisk(name: string): Promise<void> {
  const { root, disk } = diskPaths(name);
  if (await succeeds("mountpoint", ["-q", root])) await run("umount", [root]);
  await rm(disk, { recursive: true, force: true });
}

async function personalize(host: Host, root: string, distributionKey: string): Promise<void> {
  const write = (path: string, content: string) => writeFile(join(root, path), content);
  const hosts = [
    "127.0.0.1 localhost",
    "::1 localhost ip6-localhost ip6-loopback",
    `${host.address} ${host.name}`,
    `${host.address6} ${host.name}`,
  ];
  const mirror = `http://${segment.address}/apt/debian ${debianSuite} main`;
  const keyring = "/etc/apt/keyrings/distribution.asc";
  await write("etc/hosts", `${hosts.join("\n")}\n`);
  await write("etc/machine-id", `${randomUUID().replaceAll("-", "")}\n`);
  await write("etc/resolv.conf", `nameserver ${segment.address}\n`);
  await mkdir(join(root, "etc/apt/keyrings"), { recursive: true });
  await copyFile(distributionKey, join(root, keyring));
  await write("etc/apt/sources.list", `deb [signed-by=${keyring}] ${mirror}\n`);
  const key = await hostKeyFile(host.name);
  await run("install", ["-m", "0600", key, join(root, "etc/ssh/ssh_host_ed25519_key")]);
  await copyFile(`${key}.pub`, join(root, "etc/ssh/ssh_host_ed25519_key.pub"));
  await writeFile(join(root, "root/.ssh/authorized_keys"), await operatorKey(), { mode: 0o600 });
  // Written last: its presence says that the disk is complete.
  await write("etc/hostname", `${host.name}\n`);
}
