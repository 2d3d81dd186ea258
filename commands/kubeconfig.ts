import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { output } from "../steps/ssh/process.ts";
import { UserError } from "./command.ts";
import { stackNameOf } from "./stack-file.ts";
import { temporaryDirectory } from "./temporary.ts";

/**
 * The kubeconfig of a stack as a file that is removed with this process: the stack's output, or
 * standard input (`-`); or a file that was named.
 * @throws UserError where there is none.
 */
export async function kubeconfigOf(stackFile: string, named?: string): Promise<string> {
  if (named === "-") return fileOf(readFileSync(0, "utf8"));
  if (named !== undefined) return resolve(named);
  const stack = stackNameOf(stackFile);
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
  const file = join(temporaryDirectory().path, "kubeconfig");
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
