import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { project } from "../../config/load.ts";
import type { StackFiles } from "./context.ts";

/** Stacks' files in a directory: beside Pulumi.yaml, where the engine and `npm run verify` look. */
export function stackFilesIn(directory: string): StackFiles {
  const fileOf = (stack: string) => join(directory, `Pulumi.${stack}.yaml`);
  return {
    write(stack, sections) {
      const keys = Object.entries(sections).map(([key, value]) => [`${project}:${key}`, value]);
      const file = fileOf(stack);
      // Pulumi keeps there what the stack's secrets are encrypted with.
      const { config: _, ...kept } = existsSync(file) ? parse(readFileSync(file, "utf8")) : {};
      const whole = { ...kept, config: Object.fromEntries(keys) };
      // Pulumi reads YAML 1.1, to which a bare NO is false.
      writeFileSync(file, stringify(whole, { version: "1.1" }));
    },
    remove(stack) {
      rmSync(fileOf(stack), { force: true });
    },
  };
}
