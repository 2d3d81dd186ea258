import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, normalize } from "node:path";
import { UserError } from "../command.ts";

/** Lists what a rendering has written, one path a line. */
const manifest = ".oslo-cluster-render";

/**
 * Makes a directory hold these files. It removes and overwrites only what its manifest lists, which
 * is what an earlier rendering wrote there.
 * @throws UserError before anything is touched, where that would not do.
 */
export function writeRendering(directory: string, files: ReadonlyMap<string, string>): void {
  const earlier = earlierFiles(directory);
  assertOurs(directory, earlier, files);
  // A run that is killed leaves a manifest that lists everything it may have written.
  writeManifest(directory, [...new Set([...earlier, ...files.keys()])]);
  for (const path of earlier) if (!files.has(path)) remove(directory, path);
  for (const [path, content] of files) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  writeManifest(directory, [...files.keys()]);
}

function earlierFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  if (!statSync(directory).isDirectory()) throw refusal(directory, "a file");
  if (existsSync(join(directory, manifest))) {
    const lines = readFileSync(join(directory, manifest), "utf8").split("\n").filter(Boolean);
    const strange = lines.find((path) => normalize(path) !== path || /^(\/|\.\.(\/|$))/.test(path));
    if (strange === undefined) return lines;
    throw refusal(join(directory, manifest), `lists ${strange}, which no rendering writes`);
  }
  if (readdirSync(directory).length === 0) return [];
  throw refusal(directory, "not empty, and not an earlier rendering");
}

function assertOurs(
  directory: string,
  earlier: readonly string[],
  files: ReadonlyMap<string, string>,
): void {
  const known = new Set(earlier);
  const problems = new Set<string>();
  for (const path of new Set([...earlier, ...files.keys()])) {
    const link = above(path).find((folder) => isLink(join(directory, folder)));
    if (link !== undefined) problems.add(`${join(directory, link)}: a link, which is not followed`);
    else if (!known.has(path) && lstatSync(join(directory, path), { throwIfNoEntry: false }))
      problems.add(`${join(directory, path)}: not of an earlier rendering`);
  }
  if (problems.size > 0) throw refusal([...problems].join("\n--out: "));
}

/** A path and the folders that hold it. */
function above(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** With the folders that are empty then. */
function remove(directory: string, path: string): void {
  rmSync(join(directory, path), { force: true });
  for (const folder of above(path).slice(0, -1).reverse()) {
    const full = join(directory, folder);
    if (existsSync(full) && readdirSync(full).length === 0) rmdirSync(full);
  }
}

function writeManifest(directory: string, paths: readonly string[]): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, manifest), paths.map((path) => `${path}\n`).join(""));
}

function refusal(what: string, why?: string): UserError {
  return new UserError(
    `--out: ${what}${why === undefined ? "" : `: ${why}`}; move it away, or name another folder`,
  );
}
