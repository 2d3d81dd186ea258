import { existsSync, readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
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
  const stacks = stacksIn(".");
  const there =
    stacks.length > 0 ? `this folder has ${stacks.join(", ")}` : "this folder has no stack's file";
  const looked = /\.ya?ml$/.test(word) ? word : `${word}, ${file}`;
  throw new UserError(`${word}: no such stack (looked for ${looked}); ${there}`);
}

/** The name of a stack, by its file; undefined for a file that is not named as Pulumi wants. */
export function stackNameOf(file: string): string | undefined {
  return basename(file).match(pattern)?.[1];
}

/** Names of the stacks whose files a folder has. */
export function stacksIn(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => name.match(pattern)?.[1] ?? [])
    .sort();
}
