import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import type { Progress } from "../progress.ts";
import { contentKey, run } from "../shell.ts";
import {
  debianSuite,
  hypervisorPackages,
  imagePackages,
  mirroredPackages,
} from "./distribution.ts";

/** A root file system to be made from Debian packages. */
export interface TreeRecipe {
  /** Completes the phase's name, and the directory's in the cache. */
  name: string;
  suite: string;
  /** Installed beyond Debian's essential packages; what these only recommend is not. */
  packages: readonly string[];
  /** Downloaded with all their dependencies, not installed. @default none */
  mirrored?: readonly string[];
  /** Paths of scripts that finish the tree; each gets its path. */
  scripts: readonly string[];
  /** Paths of the files that scripts take from beside themselves. @default none */
  files?: readonly string[];
}

/** A root file system in the cache. */
export interface BaseTree {
  /** Never written to once made. */
  root: string;
  /** Directory of the mirrored .deb files. */
  packages: string;
}

const prepareTree = join(import.meta.dirname, "prepare-tree.sh");

/** What every host starts from; its distribution mirror offers the mirrored packages. */
export const hostTree: TreeRecipe = {
  name: "base tree",
  suite: debianSuite,
  packages: imagePackages,
  mirrored: mirroredPackages,
  scripts: [prepareTree],
};

/** What every hypervisor starts from: a host with libvirt and QEMU. */
export const hypervisorTree: TreeRecipe = {
  name: "hypervisor tree",
  suite: debianSuite,
  packages: [...imagePackages, ...hypervisorPackages],
  scripts: [prepareTree, join(import.meta.dirname, "prepare-hypervisor.sh")],
  files: ["vlan-programs.c", "add-vlan.sh", "ip.sh"].map((file) =>
    join(import.meta.dirname, "vlan", file),
  ),
};

/** Makes a tree, or takes it from the cache. */
export async function makeTree(recipe: TreeRecipe, progress: Progress): Promise<BaseTree> {
  const directory = join(cacheDirectory, "trees", `${recipe.suite}-${await treeKey(recipe)}`);
  await makeOnce(directory, async (partial) => {
    await buildTree(recipe, partial, progress);
  });
  return treeIn(directory);
}

/** What changes when the recipe does. */
export async function treeKey(recipe: TreeRecipe): Promise<string> {
  const { suite, packages, mirrored = [], scripts, files = [] } = recipe;
  const contents = await Promise.all([...scripts, ...files].map((file) => readFile(file)));
  return contentKey(suite, packages.join(), mirrored.join(), ...contents);
}

/**
 * Makes a tree with mmdebstrap in a directory.
 *
 * OSLO_LAB_DEBIAN_MIRROR names another Debian mirror than deb.debian.org.
 */
export async function buildTree(
  recipe: TreeRecipe,
  directory: string,
  progress: Progress,
): Promise<BaseTree> {
  let doing = "";
  await progress.phase(
    `${recipe.name} of Debian ${recipe.suite}`,
    () =>
      bootstrap(recipe, directory, (line) => {
        doing = line;
      }),
    () => doing,
  );
  const tree = treeIn(directory);
  for (const script of recipe.scripts) await run("bash", [script, tree.root]);
  return tree;
}

function treeIn(directory: string): BaseTree {
  return { root: join(directory, "root"), packages: join(directory, "packages") };
}

async function bootstrap(
  { suite, packages, mirrored = [] }: TreeRecipe,
  directory: string,
  onLine: (line: string) => void,
): Promise<void> {
  const { packages: downloads, root } = treeIn(directory);
  await mkdir(downloads);
  const install = "apt-get install --yes --no-install-recommends --download-only";
  const hooks = [
    'rm -f "$1"/var/cache/apt/archives/*.deb',
    `chroot "$1" ${install} ${mirrored.join(" ")}`,
    `cp "$1"/var/cache/apt/archives/*.deb '${downloads}'`,
  ];
  const mirror = process.env.OSLO_LAB_DEBIAN_MIRROR;
  const bootstrap = execa("mmdebstrap", [
    ...["--mode=root", "--variant=minbase", `--include=${packages.join()}`],
    ...(mirrored.length > 0 ? hooks.map((hook) => `--customize-hook=${hook}`) : []),
    ...[suite, root, ...(mirror ? [mirror] : [])],
  ]);
  bootstrap.stderr.on("data", (data: Buffer) => {
    const line = data.toString().trimEnd().split("\n").at(-1);
    if (line?.startsWith("I: ")) onLine(line.slice(3));
  });
  await bootstrap;
}
