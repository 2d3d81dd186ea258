import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Image } from "../artifacts/images.ts";
import { cacheDirectory } from "../paths.ts";
import { segment } from "../segment.ts";
import { contentKey, inNamespace, run } from "../shell.ts";

/** The registry's storage in the cache: one for each set of images, so that no other is served. */
export function registryStorage(images: readonly Image[]): string {
  const key = contentKey(...images.map(({ reference }) => reference).sort());
  return join(cacheDirectory, "registry", key);
}

/**
 * Pushes each image under HOST/NAME:TAG of its upstream, so that a containerd mirror with
 * override_path finds it. What has been pushed before is not pushed again: a layout's path has its
 * content's hash.
 */
export async function pushImages(images: readonly Image[]): Promise<void> {
  const done = join(registryStorage(images), "pushed");
  await mkdir(done, { recursive: true });
  for (const { reference, source } of images) {
    const marker = join(done, contentKey(reference, source));
    if (existsSync(marker)) continue;
    const skopeo = [
      ...["skopeo", "copy", "--quiet", "--insecure-policy", "--all", "--preserve-digests"],
      ...["--dest-tls-verify=false", source],
      `docker://${segment.address}:5000/${reference}`,
    ];
    const [command = "", ...args] = inNamespace(segment.netns, skopeo);
    await run(command, args);
    await writeFile(marker, `${reference}\n`);
  }
}
