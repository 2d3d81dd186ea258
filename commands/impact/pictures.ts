import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a stack's picture at both revisions, where it changed.
 * @param before Undefined where the base has no such stack, or cannot draw one.
 * @returns the files' paths; none where the picture is the same
 */
export function writePictures(
  folder: string,
  stack: string,
  before: string | undefined,
  after: string,
): string[] {
  if (before === after) return [];
  mkdirSync(folder, { recursive: true });
  return Object.entries({ before, after }).flatMap(([when, picture]) => {
    if (picture === undefined) return [];
    const file = join(folder, `${stack}.${when}.svg`);
    writeFileSync(file, picture);
    return [file];
  });
}
