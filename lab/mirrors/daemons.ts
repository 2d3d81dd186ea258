import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory } from "../paths.ts";
import { contentKey, makeOnce, run } from "../shell.ts";

/** Paths of the programs that serve the mirrors. */
export interface Daemons {
  nginx: string;
  registry: string;
  chronyd: string;
}

const packages = ["nginx", "docker-registry", "chrony"];

/**
 * Unpacks nginx, docker-registry and chronyd from the distribution's packages into the cache. They
 * are not installed: that would start them for this machine, and chrony would take over its clock.
 */
export async function unpackDaemons(): Promise<Daemons> {
  const release = await readFile("/etc/os-release");
  const key = contentKey(release, packages.join());
  const directory = await makeOnce(join(cacheDirectory, "daemons", key), async (partial) => {
    const download = () => run("apt-get", ["download", "-qq", ...packages], { cwd: partial });
    await download().catch(async () => {
      await run("apt-get", ["update", "-qq"]);
      await download();
    });
    await run("sh", ["-c", 'for file in *.deb; do dpkg-deb -x "$file" .; rm "$file"; done'], {
      cwd: partial,
    });
  });
  return {
    nginx: join(directory, "usr/sbin/nginx"),
    registry: join(directory, "usr/bin/docker-registry"),
    chronyd: join(directory, "usr/sbin/chronyd"),
  };
}
