import { join } from "node:path";
import { execa } from "execa";
import { temporaryDirectory } from "../../commands/temporary.ts";
import { root } from "../root.ts";

/** Runs a command in examples/, where the tests' stacks are. It remembers nothing of another one's. */
export async function runCommand(name: string, ...args: string[]) {
  using state = temporaryDirectory();
  // Nobody's keys are offered to anybody.
  const env = { XDG_STATE_HOME: state.path, SSH_AUTH_SOCK: "/none" };
  const options = { cwd: join(root, "examples"), reject: false, stdin: "ignore", env } as const;
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(root, "commands/main.ts"), name, ...args],
    options,
  );
  return { exitCode, stdout, stderr };
}
