import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { output } from "../verify/process.ts";
import { UserError } from "./command.ts";

/**
 * The kubeconfig of a stack as a file that goes with this process: the stack's output, or standard
 * input (`-`); or a file that was named.
 * @throws UserError where there is none.
 */
export async function kubeconfigOf(stackFile: string, named?: string): Promise<string> {
  if (named === "-") return fileOf(readFileSync(0, "utf8"));
  if (named !== undefined) return resolve(named);
  const [, stack] = basename(stackFile).match(/^Pulumi\.(.+)\.yaml$/) ?? [];
  if (stack === undefined) {
    throw new UserError(`${stackFile}: not a Pulumi.<stack>.yaml; give --kubeconfig FILE`);
  }
  const words = ["stack", "output", "kubeconfig", "--show-secrets", "--stack", stack];
  const where = ["--cwd", dirname(resolve(stackFile))];
  const text = await output(["pulumi", ...words, ...where])
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return output(["npx", "--yes", "pulumi", ...words, ...where]);
    })
    .catch((error: Error) => {
      throw new UserError(
        `stack ${stack}: no kubeconfig: ${error.message}; or give --kubeconfig FILE`,
      );
    });
  return fileOf(text);
}

function fileOf(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "oslo-cluster-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "kubeconfig");
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
