import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of the Pulumi project: this one, or the nearest above with a Pulumi.yaml. */
export function projectDirectory(from = process.cwd()): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
    if (folder === dirname(folder)) return from;
  }
}
