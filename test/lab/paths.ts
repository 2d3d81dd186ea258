import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Built binaries, packages, images and the hosts' base tree: kept between runs and shared by every
 * checkout, each entry named by the hash of what it was made from.
 *
 * @default $XDG_CACHE_HOME/oslo-cluster, else ~/.cache/oslo-cluster; OSLO_LAB_CACHE overrides it
 */
export const cacheDirectory =
  process.env.OSLO_LAB_CACHE ||
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "oslo-cluster");

/**
 * Names everything that a lab leaves on the machine while it is up, so that two checkouts can have
 * one each.
 *
 * @default oslo-lab; OSLO_LAB_NAME overrides it
 */
export const labName = process.env.OSLO_LAB_NAME || "oslo-lab";

/** What lives as long as the lab is up: sockets, process ids, keys, logs, facts. */
export const runDirectory = `/run/${labName}`;

/** The hosts' disks: on a real file system, because containers cannot lie on tmpfs or overlay. */
export const diskDirectory = `/var/lib/${labName}`;

export const factsFile = join(runDirectory, "facts.json");
