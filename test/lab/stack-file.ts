import { stackFilesIn } from "../../commands/ephemeral/stack-files.ts";
import type { ConfigInput } from "../../config/schema.ts";
import { type Program, stackFileOf } from "./program.ts";

/** What a caller may vary: tests change a field and bring the stack up again. */
export type Overrides = (config: ConfigInput) => void;

/** Writes a program's stack `lab`, where Pulumi looks for it. */
export function writeStack(program: Program, config: ConfigInput): string {
  stackFilesIn(program.directory).write("lab", config);
  return stackFileOf(program);
}

/** Forgets a program's stack file. */
export function removeStack({ directory }: Program): void {
  stackFilesIn(directory).remove("lab");
}
