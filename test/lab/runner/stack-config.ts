import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";

export interface StackConfig {
  project: string;
  stack: string;
  /** `project:key` → the value as the engine hands it over: text, or structured values as JSON. */
  values: Record<string, string>;
}

/**
 * The configuration of a stack's file, as the engine gives it to the program.
 *
 * @throws Error for a file that is not named `Pulumi.<stack>.yaml`, or with an encrypted value.
 */
export function readStackConfig(stackFile: string, program: string, project?: string): StackConfig {
  const stack = /^Pulumi\.(.+)\.yaml$/.exec(basename(stackFile))?.[1];
  if (stack === undefined) {
    throw new Error(`${stackFile}: not a stack's file; name it Pulumi.<stack>.yaml.`);
  }
  const owner = project ?? projectName(join(dirname(program), "Pulumi.yaml"));
  const config = parse(readFileSync(stackFile, "utf8"))?.config ?? {};
  const values: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    if (JSON.stringify(value ?? null).includes('"secure":')) {
      throw new Error(`${stackFile}: ${key} is encrypted; the lab's runner cannot decrypt it.`);
    }
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    values[key.includes(":") ? key : `${owner}:${key}`] = text;
  }
  return { project: owner, stack, values };
}

function projectName(file: string): string {
  const name = parse(readFileSync(file, "utf8"))?.name;
  if (typeof name !== "string") throw new Error(`${file}: name: missing; give the project one.`);
  return name;
}
