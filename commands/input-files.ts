import { existsSync } from "node:fs";
import { UserError } from "./command.ts";

/**
 * Files that a person names by options, `--identity`.
 * @throws UserError with each that is not there, before anything is done.
 */
export function requireFiles(named: Record<string, string | undefined>): void {
  const lacking = Object.entries(named).flatMap(([option, path]) =>
    path === undefined || existsSync(path) ? [] : [`${option}: ${path}: no such file`],
  );
  if (lacking.length > 0) throw new UserError(lacking.join("\n"));
}
