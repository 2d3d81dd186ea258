import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheDirectory } from "../paths.ts";
import type { Progress } from "../progress.ts";
import { contentKey, makeOnce, run } from "../shell.ts";
import { debianSuite, imagePackages, mirroredPackages } from "./distribution.ts";

/** The image that every host starts from, and the packages its distribution mirror offers. */
export interface BaseTree {
  /** Root file system, never written to once made. */
  root: string;
  /** Directory of .deb files. */
  packages: string;
}

/**
 * Makes the hosts' base tree with mmdebstrap, or takes it from the cache.
 *
 * OSLO_LAB_DEBIAN_MIRROR names another Debian mirror than deb.debian.org.
 */
export async function makeTree(progress: Progress): Promise<BaseTree> {
  const prepare = join(import.meta.dirname, "prepare-tree.sh");
  const key = contentKey(
    ...[debianSuite, imagePackages.join(), mirroredPackages.join()],
    await readFile(prepare),
  );
  const directory = join(cacheDirectory, "trees", `${debianSuite}-${key}`);
  await makeOnce(directory, async (partial) => {
    let doing = "";
    await progress.phase(
      `base tree of Debian ${debianSuite}`,
      () =>
        bootstrap(partial, (line) => {
          doing = line;
        }),
      () => doing,
    );
    await run("bash", [prepare, join(partial, "root")]);
  });
  return { root: join(directory, "root"), packages: join(directory, "packages") };
}

async function bootstrap(directory: string, onLine: (line: string) => void): Promise<void> {
  const packages = join(directory, "packages");
  await mkdir(packages);
  const install = "apt-get install --yes --no-install-recommends --download-only";
  const hooks = [
    'rm -f "$1"/var/cache/apt/archives/*.deb',
    `chroot "$1" ${install} ${mirroredPackages.join(" ")}`,
    `cp "$1"/var/cache/apt/archives/*.deb '${packages}'`,
  ];
  const mirror = process.env.OSLO_LAB_DEBIAN_MIRROR;
  const bootstrap = execa("mmdebstrap", [
    ...["--mode=root", "--variant=minbase", `--include=${imagePackages.join()}`],
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    ...[debianSuite, join(directory, "root"), ...(mirror ? [mirror] : [])],
  ]);
  bootstrap.stderr.on("data", (data: Buffer) => {
    const line = data.toString().trimEnd().split("\n").at(-1);
    if (line?.startsWith("I: ")) onLine(line.slice(3));
  });
  await bootstrap;
}
