import { accessSync, constants, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "./command.ts";

/**
 * A file that a person names for a result; its folder is made where it is not there.
 * @param option Where it was named, `--junit`.
 * @returns what writes it, once there is a result
 * @throws UserError at once, before the work, where it could not be written.
 */
export function outputFile(option: string, path: string): (text: string, mode?: number) => void {
  const refuse = (why: string) =>
    new UserError(`${option}: ${path}: ${why}; name a file that can be written`);
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isFile()) throw refuse(`${folder} is a file`);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(existsSync(path) ? path : folder, constants.W_OK);
  } catch (error) {
    throw refuse((error as NodeJS.ErrnoException).code ?? String(error));
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw refuse("a folder");
  return (text, mode) => writeFileSync(path, text, mode === undefined ? {} : { mode });
}
