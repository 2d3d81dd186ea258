import { join } from "node:path";
import { execa } from "execa";
import { root } from "../root.ts";

/** Runs a command in examples/, where the tests' stacks are. */
export async function runCommand(name: string, ...args: string[]) {
  const options = { cwd: join(root, "examples"), reject: false, stdin: "ignore" } as const;
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(root, "commands/main.ts"), name, ...args],
    options,
  );
  return { exitCode, stdout, stderr };
}
