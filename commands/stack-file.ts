import { existsSync } from "node:fs";

/** The file of a stack that a person names by its file, or by its name where the file is here. */
export function stackFileOf(word: string): string {
  const file = `Pulumi.${word}.yaml`;
  return !existsSync(word) && existsSync(file) ? file : word;
}
