import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import type { ConfigInput } from "../config/schema.ts";
import { type Program, stackFileOf } from "./program.ts";

/** What a caller may vary: tests change a field and bring the stack up again. */
export type Overrides = (config: ConfigInput) => void;

/** Writes a program's stack `lab`, where Pulumi looks for it. */
export function writeStack(program: Program, config: ConfigInput): string {
  const file = stackFileOf(program);
  const keys = Object.entries(config).map(([section, value]) => [`oslo-cluster:${section}`, value]);
  // Pulumi keeps the salt of its secrets beside the configuration.
  const { encryptionsalt } = existsSync(file) ? parse(readFileSync(file, "utf8")) : {};
  writeFileSync(file, stringify({ encryptionsalt, config: Object.fromEntries(keys) }));
  return file;
}

/** Forgets a program's stack file. */
export function removeStack(program: Program): void {
  rmSync(stackFileOf(program), { force: true });
}
