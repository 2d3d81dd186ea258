import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { loadStackFile } from "../../config/load.ts";
import { ConfigError } from "../../config/problem.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import type { Revision } from "./compare.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");

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
 * @throws Error with code BASE for a ref that this clone does not have.
 */
export async function openBase(ref: string): Promise<Base> {
  const commit = await mergeBase(ref);
  const directory = mkdtempSync(join(tmpdir(), "oslo-cluster-impact-"));
  const dispose = () => rmSync(directory, { recursive: true, force: true });
  try {
    // The shell's pipe: a tree is larger than what fits in memory comfortably.
    const archive = 'git archive "$1" | tar --extract --directory "$2"';
    await execute("bash", ["-o", "pipefail", "-c", archive, "bash", commit, directory], {
      cwd: root,
    });
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    directory,
    stackFiles: stackFilesIn(directory),
    notes: sameLock(directory)
      ? []
      : ["package-lock.json differs: the base was planned with the packages of this revision"],
    [Symbol.dispose]: dispose,
  };
}

async function mergeBase(ref: string): Promise<string> {
  try {
    const { stdout } = await execute("git", ["merge-base", "--end-of-options", ref, "HEAD"], {
      cwd: root,
    });
    return stdout.trim();
  } catch (error) {
    const why = `${(error as { stderr?: string }).stderr ?? ""}`.trim() || "no common history";
    throw Object.assign(
      new Error(
        `--base: ${ref}: ${why}; fetch it first (in a shallow clone: git fetch --unshallow)`,
      ),
      { code: "BASE" },
    );
  }
}

function sameLock(directory: string): boolean {
  const [before, after] = [directory, root].map((folder) =>
    readFileSync(join(folder, "package-lock.json"), "utf8"),
  );
  return before === after;
}

/** Stack files in a root, but for the lab's and ephemeral clusters'. */
export function stackFilesIn(directory: string = root): string[] {
  return readdirSync(directory)
    .filter((name) => /^Pulumi\.(?!lab\.yaml$|ephemeral-).+\.yaml$/.test(name))
    .sort();
}

/** The plan of a stack's file in the work tree. */
export function headPlan(file: string): Revision {
  if (!existsSync(join(root, file))) return "absent";
  try {
    return { files: planFiles(plan(loadStackFile(join(root, file)))) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { refused: error.message.replaceAll(`${root}/`, "") };
  }
}

/** The plan of a stack's file at the base, made by the base's own code. */
export async function basePlan({ directory }: Base, file: string): Promise<Revision> {
  if (!existsSync(join(directory, file))) return "absent";
  const out = mkdtempSync(join(tmpdir(), "oslo-cluster-render-"));
  try {
    const call = ["commands/render.ts", file, "--out", out];
    await execute(process.execPath, call, { cwd: directory });
    return { files: filesBelow(out) };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { refused: (stderr?.trim() || message).replaceAll(`${directory}/`, "") };
  } finally {
    rmSync(out, { recursive: true });
  }
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
