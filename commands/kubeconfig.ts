import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "./command.ts";
import { pulumiOnPath } from "./engine/cli.ts";
import { pulumiStacks } from "./engine/stacks.ts";
import { stackNameOf } from "./stack-file.ts";
import { temporaryDirectory } from "./temporary.ts";

/**
 * The kubeconfig of a stack as a file that is removed with this process: the stack's output, or
 * standard input (`-`); or a file that was named.
 * @throws UserError where there is none.
 */
export async function kubeconfigOf(stackFile: string, named?: string): Promise<string> {
  if (named === "-") {
    const text = readFileSync(0, "utf8");
    if (text.trim() === "") throw new UserError("--kubeconfig: -: standard input is empty");
    return fileOf(text);
  }
  if (named !== undefined) {
    if (!existsSync(named))
      throw new UserError(
        `--kubeconfig: ${named}: no such file; pulumi stack output kubeconfig --show-secrets prints one`,
      );
    return resolve(named);
  }
  const stack = stackNameOf(stackFile);
  if (stack === undefined) {
    throw new UserError(`${stackFile}: not a Pulumi.<stack>.yaml; give --kubeconfig FILE`);
  }
  if (pulumiOnPath() === undefined) {
    throw new UserError(
      "pulumi: not on PATH; install it (docs/getting-started.md, step 2), or give --kubeconfig FILE",
    );
  }
  const stacks = pulumiStacks({ directory: dirname(resolve(stackFile)) });
  const { kubeconfig } = await stacks.outputs(stack).catch((error: Error) => {
    throw new UserError(
      `stack ${stack}: no kubeconfig: ${error.message}; or give --kubeconfig FILE`,
    );
  });
  if (typeof kubeconfig === "string") return fileOf(kubeconfig);
  throw new UserError(`stack ${stack}: no kubeconfig among its outputs; or give --kubeconfig FILE`);
}

function fileOf(text: string): string {
  const file = join(temporaryDirectory().path, "kubeconfig");
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
