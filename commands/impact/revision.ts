import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import { loadStackFile, project, sectionsOf } from "../../config/load.ts";
import { ConfigError } from "../../config/problem.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import { UserError } from "../command.ts";
import { stackPicture } from "../picture/stack.ts";
import { projectDirectory } from "../project.ts";
import { temporaryDirectory } from "../temporary.ts";
import type { Revision } from "./compare.ts";

/** The tree of an earlier revision, on disk until it is disposed of. */
export interface Base extends Disposable {
  directory: string;
  /** Stack files that it has in its root. */
  stackFiles: string[];
  /** What makes its plan less than exact. */
  notes: string[];
}

/**
 * Unpacks the revision at which the work tree and a ref have parted.
 * @throws UserError for a ref that this clone does not have.
 */
export async function openBase(ref: string, signal?: AbortSignal): Promise<Base> {
  const root = projectDirectory();
  const commit = await mergeBase(root, ref);
  const folder = temporaryDirectory();
  const [archive, directory] = ["base.tar", "base"].map((name) => join(folder.path, name)) as [
    string,
    string,
  ];
  try {
    const options = { cwd: root, cancelSignal: signal } as const;
    await execa("git", ["archive", "--output", archive, commit], options);
    mkdirSync(directory);
    await execa("tar", ["--extract", "--file", archive, "--directory", directory], options);
    if (existsSync(join(root, "node_modules")))
      symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
  return {
    directory,
    stackFiles: stackFilesIn(directory),
    notes: sameLock(root, directory)
      ? []
      : ["package-lock.json differs: the base was planned with the packages of this revision"],
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

async function mergeBase(root: string, ref: string): Promise<string> {
  const git = (...words: string[]) => execa("git", words, { cwd: root, reject: false });
  const { exitCode, stdout } = await git("merge-base", "--end-of-options", ref, "HEAD");
  if (exitCode === 0) return stdout.trim();
  if ((await git("rev-parse", "--git-dir")).exitCode !== 0)
    throw new UserError(`${root}: not a git repository; run impact in the one that has the stacks`);
  const known = await git(
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    `${ref}^{commit}`,
  );
  throw new UserError(
    known.exitCode === 0
      ? `--base: ${ref}: no commit in common with HEAD; in a shallow clone: git fetch --unshallow`
      : `--base: ${ref}: no such commit here; fetch it first (git fetch origin)`,
  );
}

function sameLock(...folders: [string, string]): boolean {
  const [before, after] = folders.map((folder) => {
    const file = join(folder, "package-lock.json");
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  });
  return before === after;
}

/** Stack files in a root, but for the lab's and ephemeral clusters'. */
export function stackFilesIn(directory = projectDirectory()): string[] {
  return readdirSync(directory)
    .filter((name) => /^Pulumi\.(?!lab\.yaml$|ephemeral-).+\.yaml$/.test(name))
    .sort();
}

/** The plan of a stack's file in the work tree. */
export function headPlan(file: string): Revision {
  const root = projectDirectory();
  if (!existsSync(join(root, file))) return "absent";
  try {
    const path = join(root, file);
    return { files: planFiles(plan(loadStackFile(path))), sections: sectionsOf(path) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { refused: error.message.replaceAll(`${root}/`, "") };
  }
}

/**
 * The plan of a stack's file at the base, by the base's own code where it has the program's.
 * @throws Error where it was interrupted.
 */
export async function basePlan(
  { directory }: Base,
  file: string,
  signal?: AbortSignal,
): Promise<Revision> {
  if (!existsSync(join(directory, file))) return "absent";
  using out = temporaryDirectory();
  const [command = "", ...call] = renderOf(directory);
  const { exitCode, isCanceled, stderr, shortMessage } = await execa(
    command,
    [...call, file, "--out", out.path],
    { cwd: directory, reject: false, cancelSignal: signal },
  );
  if (isCanceled) throw new Error("interrupted");
  if (exitCode === 0)
    return { files: filesBelow(out.path), sections: sectionsOf(join(directory, file)) };
  return { refused: (stderr.trim() || shortMessage || "").replaceAll(`${directory}/`, "") };
}

/** The picture of a stack's file in the work tree, which has no errors. */
export function headPicture(file: string): string {
  return stackPicture(loadStackFile(join(projectDirectory(), file)));
}

/** The picture of a stack's file at the base, by the base's own code; undefined where that draws none. */
export async function basePicture(
  { directory }: Base,
  file: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!existsSync(join(directory, file))) return undefined;
  using out = temporaryDirectory();
  const svg = join(out.path, "stack.svg");
  const [command = "", ...call] = renderOf(directory);
  const options = { cwd: directory, reject: false, cancelSignal: signal } as const;
  const { exitCode } = await execa(command, [...call, file, "--svg", svg], options);
  return exitCode === 0 ? readFileSync(svg, "utf8") : undefined;
}

/** How a revision's tree renders a plan: as its own `npm run render` does, without npm. */
function renderOf(directory: string): string[] {
  const file = join(directory, "package.json");
  const { name, scripts } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const words: string[] =
    name === project ? scripts.render.split(" ") : [process.argv[1] as string, "render"];
  // Some revisions name Node there, and some leave it to the command's first line.
  return [process.execPath, ...(words[0] === "node" ? words.slice(1) : words)];
}

function filesBelow(directory: string): Map<string, string> {
  return new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path): [string, string] => [relative(directory, path), readFileSync(path, "utf8")])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
