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

/** What lives as long as the lab is up: sockets, process ids, keys, logs, facts. */
export const runDirectory = "/run/oslo-lab";

/** The hosts' disks: on a real file system, because containers cannot lie on tmpfs or overlay. */
export const diskDirectory = "/var/lib/oslo-lab";

export const factsFile = join(runDirectory, "facts.json");
