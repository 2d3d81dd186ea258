import { existsSync } from "node:fs";
import { readdir, readFile, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { execa } from "execa";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import type { Progress } from "../progress.ts";
import { contentKey, run } from "../shell.ts";
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
  const built = await whereBuilt(recipe);
  await makeOnce(built.directory, async (partial) => {
    let compiled = 0;
    await progress.phase(
      `build ${describe(recipe)}`,
      () => compile(go, recipe, partial, () => compiled++),
      () => `${compiled} Go packages compiled`,
    );
    for (const [path, binary] of Object.entries(recipe.binaries)) {
      const made = defaultName(path);
      if (made !== binary) await rename(join(partial, made), join(partial, binary));
    }
  });
  return built;
}

/** Downloads the modules that a recipe compiles, unless it has been built. */
export async function downloadSources(go: string, recipe: Recipe): Promise<void> {
  if (existsSync((await whereBuilt(recipe)).directory)) return;
  const list = ["list", "-deps", ...tagsOf(recipe), ...Object.keys(recipe.binaries)];
  await run(go, list, { cwd: sourceOf(recipe), env: goEnvironment, stdout: "ignore" });
}

async function whereBuilt(recipe: Recipe): Promise<Built> {
  const source = sourceOf(recipe);
  const key = contentKey(
    await readFile(join(source, "go.mod")),
    await readFile(join(source, "go.sum")),
    JSON.stringify(recipe),
    ...(await ownSources(source)),
  );
  const name = `${recipe.name}-${recipe.version}-${key}`;
  return { directory: join(cacheDirectory, "binaries", name), key };
}

function sourceOf({ name }: Recipe): string {
  return join(modulesDirectory, name);
}

/** Two recipes may build of one module. */
function describe({ name, version, tags = [] }: Recipe): string {
  return [name, version, ...(tags.length > 0 ? [`(${tags.join(", ")})`] : [])].join(" ");
}

function tagsOf({ tags }: Recipe): string[] {
  return tags ? [`-tags=${tags.join(",")}`] : [];
}

/** The Go files that lie beside the module file: a main package of ours, a substitute of a module. */
async function ownSources(module: string): Promise<Buffer[]> {
  const names = await readdir(module, { recursive: true });
  const sources = names.filter((name) => name.endsWith(".go")).sort();
  return Promise.all(sources.map((name) => readFile(join(module, name))));
}

async function compile(
  go: string,
  recipe: Recipe,
  output: string,
  onPackage: () => void,
): Promise<void> {
  const linkerFlags = [
    "-s",
    "-w",
    ...(recipe.cgo ? ["-extldflags", "-static"] : []),
    ...Object.entries(recipe.variables ?? {}).flatMap(([key, value]) => [
      "-X",
      `'${key}=${value}'`,
    ]),
  ];
  const process = execa(
    go,
    [
      ...["build", "-v", "-trimpath", `-ldflags=${linkerFlags.join(" ")}`],
      ...tagsOf(recipe),
      ...["-o", `${output}/`, ...Object.keys(recipe.binaries)],
    ],
    { cwd: sourceOf(recipe), env: { ...goEnvironment, CGO_ENABLED: recipe.cgo ? "1" : "0" } },
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
