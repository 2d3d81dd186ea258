import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "./command.ts";

/** The JSON schema of stacks' files, in the repository; `npm run docs` writes it. */
export const schemaFile = "config/stack-file.schema.json";

/** For every command's argument. */
export const stackHelp = "a stack's name, or its file";

const pattern = /^Pulumi\.(.+)\.yaml$/;

/**
 * The file of a stack that a person names by its file, or by its name where the file is here.
 * @throws UserError where there is neither, with the stacks that there are.
 */
export function stackFileOf(word: string): string {
  const file = `Pulumi.${word}.yaml`;
  // A folder may have the stack's name.
  if (existsSync(file)) return file;
  if (statSync(word, { throwIfNoEntry: false })?.isFile()) return word;
  const isFolder = existsSync(word);
  const folder = isFolder ? word : ".";
  const stacks = stacksIn(folder).map((name) => (isFolder ? stackPath(folder, name) : name));
  const there = `${isFolder ? word : "this folder"} has ${stacks.join(", ") || "no stack's file"}`;
  const looked = /\.ya?ml$/.test(word) ? word : `${word}, ${file}`;
  if (isFolder) throw new UserError(`${word}: a folder, and no stack's file; ${there}`);
  throw new UserError(`${word}: no such stack (looked for ${looked}); ${there}`);
}

/** The name of a stack, by its file; undefined for a file that is not named as Pulumi wants. */
export function stackNameOf(file: string): string | undefined {
  return basename(file).match(pattern)?.[1];
}

function stackPath(folder: string, name: string): string {
  return join(folder, `Pulumi.${name}.yaml`);
}

/** Names of the stacks whose files a folder has. */
export function stacksIn(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => name.match(pattern)?.[1] ?? [])
    .sort();
}
