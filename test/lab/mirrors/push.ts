import { existsSync } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
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
 * override_path finds it. What has been pushed before is not pushed again.
 *
 * @returns the upstream references that the registry now serves
 */
export async function pushImages(images: readonly Image[]): Promise<string[]> {
  const done = join(registryStorage(images), "pushed");
  await mkdir(done, { recursive: true });
  for (const { reference, source } of images) {
    const marker = join(done, contentKey(reference, await identity(source)));
    if (existsSync(marker)) continue;
    const skopeo = [
      ...["skopeo", "copy", "--quiet", "--insecure-policy", "--all", "--preserve-digests"],
      ...["--dest-tls-verify=false", source],
      `docker://${segment.address}:5000/${withoutDigest(reference)}`,
    ];
    const [command = "", ...args] = inNamespace(segment.netns, skopeo);
    await run(command, args);
    await writeFile(marker, `${reference}\n`);
  }
  return images.map(({ reference }) => reference).sort();
}

/** What changes when the source does: a layout's path has its content's hash, an archive has not. */
async function identity(source: string): Promise<string> {
  const archive = /^oci-archive:(.*)$/.exec(source)?.[1];
  if (!archive) return source;
  const { size, mtimeMs } = await stat(archive);
  return `${source} ${size} ${mtimeMs}`;
}

/** A push names a tag; the digest follows from the content. */
function withoutDigest(reference: string): string {
  return reference.replace(/@sha256:[0-9a-f]+$/, "");
}
