import { readFile, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { execa } from "execa";
import { cacheDirectory } from "../paths.ts";
import type { Progress } from "../progress.ts";
import { contentKey, makeOnce } from "../shell.ts";
import { goEnvironment, modulesDirectory } from "./go.ts";
import type { Recipe } from "./recipes.ts";

/** A directory with the built binaries, and a key that changes when they do. */
export interface Built {
  directory: string;
  key: string;
}

/**
 * Builds an upstream's binaries, or takes them from the cache when its module files and recipe are
 * the ones that made them.
 */
export async function build(go: string, recipe: Recipe, progress: Progress): Promise<Built> {
  const source = join(modulesDirectory, recipe.name);
  const key = contentKey(
    await readFile(join(source, "go.mod")),
    await readFile(join(source, "go.sum")),
    JSON.stringify(recipe),
  );
  const directory = join(cacheDirectory, "binaries", `${recipe.name}-${recipe.version}-${key}`);
  await makeOnce(directory, async (partial) => {
    let compiled = 0;
    await progress.phase(
      `build ${recipe.name} ${recipe.version}`,
      () => compile(go, recipe, source, partial, () => compiled++),
      () => `${compiled} Go packages compiled`,
    );
    for (const [path, binary] of Object.entries(recipe.binaries)) {
      const made = defaultName(path);
      if (made !== binary) await rename(join(partial, made), join(partial, binary));
    }
  });
  return { directory, key };
}

async function compile(
  go: string,
  recipe: Recipe,
  source: string,
  output: string,
  onPackage: () => void,
): Promise<void> {
  const linkerFlags = [
    "-s",
    "-w",
    ...(recipe.cgo ? ["-extldflags", "-static"] : []),
    ...Object.entries(recipe.variables ?? {}).flatMap(([key, value]) => ["-X", `${key}=${value}`]),
  ];
  const process = execa(
    go,
    [
      ...["build", "-v", "-trimpath", `-ldflags=${linkerFlags.join(" ")}`],
      ...(recipe.tags ? [`-tags=${recipe.tags.join(",")}`] : []),
      ...["-o", `${output}/`, ...Object.keys(recipe.binaries)],
    ],
    { cwd: source, env: { ...goEnvironment, CGO_ENABLED: recipe.cgo ? "1" : "0" } },
  );
  process.stderr.on("data", (data: Buffer) => {
    for (const line of data.toString().split("\n")) {
      if (line && !line.startsWith("go: ")) onPackage();
    }
  });
  await process;
}

/** The name that `go build` gives a binary: the last path element that is not a major version. */
function defaultName(path: string): string {
  return basename(path.replace(/\/v\d+$/, ""));
}
