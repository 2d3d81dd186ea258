import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { buildTree, type TreeRecipe, treeKey } from "../hosts/tree.ts";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import type { Progress } from "../progress.ts";
import { contentKey, run } from "../shell.ts";
import { guestPackages, guestSuite } from "./packages.ts";

/** A cloud image in the cache. */
export interface GuestImage {
  directory: string;
  /** Name of the qcow2 file in the directory. */
  file: string;
  /** 128 hexadecimal digits. */
  sha512: string;
}

/** Virtual size in MiB: as little as fits, since a guest's disk is grown to its own size. */
const size = 3072;

const diskImage = join(import.meta.dirname, "disk-image.sh");

const guestTree: TreeRecipe = {
  name: "guest tree",
  suite: guestSuite,
  packages: guestPackages,
  scripts: [join(import.meta.dirname, "prepare-guest.sh")],
};

/** Makes the guests' image, or takes it from the cache; about a minute and a half the first time. */
export async function makeGuestImage(progress: Progress): Promise<GuestImage> {
  const key = contentKey(await treeKey(guestTree), `${size}`, await readFile(diskImage));
  const file = `debian-${guestSuite}-lab-amd64.qcow2`;
  const directory = await makeOnce(join(cacheDirectory, "guests", key), async (partial) => {
    const { root } = await buildTree(guestTree, partial, progress);
    await progress.phase("guest image", () =>
      run("bash", [diskImage, root, join(partial, file), `${size}`]),
    );
    await Promise.all([
      rm(root, { recursive: true }),
      writeFile(join(partial, "sha512"), await sha512(join(partial, file))),
    ]);
  });
  return { directory, file, sha512: await readFile(join(directory, "sha512"), "utf8") };
}

async function sha512(file: string): Promise<string> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
