import { UserError } from "./command.ts";
import { prompt } from "./prompt.ts";

/** Options of a command that asks before it touches anything. */
export interface Consent {
  dryRun?: boolean;
  yes?: boolean;
}

/**
 * Shows what is to be done, and asks for it unless the command line has said yes already.
 * @param name What the person types: the cluster's.
 * @returns whether it is to be done: never on a dry run
 * @throws UserError for any other answer
 */
export async function agreed(
  name: string,
  text: string,
  { dryRun, yes }: Consent,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<boolean> {
  if (dryRun) {
    console.log(text);
    return false;
  }
  console.error(text);
  if (yes) return true;
  using person = prompt(input, process.stderr, "nothing was touched");
  const answer = await person.ask(`\nType the cluster's name, ${name}, to do this:`);
  if (answer !== name)
    throw new UserError(`${answer || "nothing"} is not ${name}: nothing was touched`);
  return true;
}
