import { execa } from "execa";
import { root } from "../root.ts";

/** Runs a command as `npm run` does, in the repository's root. */
export async function runCommand(name: string, ...args: string[]) {
  const options = { cwd: root, reject: false } as const;
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    ["commands/main.ts", name, ...args],
    options,
  );
  return { exitCode, stdout, stderr };
}
