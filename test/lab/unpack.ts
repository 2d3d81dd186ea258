import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { aptGet } from "./apt.ts";
import { makeOnce } from "./make-once.ts";
import { cacheDirectory } from "./paths.ts";
import { contentKey, run } from "./shell.ts";

/**
 * Unpacks packages of this machine's distribution into the cache. They are not installed: that would
 * start their services for this machine.
 *
 * @param name of the folder in the cache
 * @returns where their files are, as below /
 */
export async function unpackPackages(name: string, packages: readonly string[]): Promise<string> {
  const release = await readFile("/etc/os-release");
  const key = contentKey(release, packages.join());
  return makeOnce(join(cacheDirectory, name, key), async (partial) => {
    const download = () => aptGet(["download", ...packages], { cwd: partial });
    await download().catch(async () => {
      await aptGet(["update"]);
      await download();
    });
    await run("sh", ["-c", 'for file in *.deb; do dpkg-deb -x "$file" .; rm "$file"; done'], {
      cwd: partial,
    });
  });
}
