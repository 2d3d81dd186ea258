import { UserError } from "./command.ts";
import { prompt } from "./init/prompt.ts";

/** Asks before anything is touched. @throws UserError for any other answer than the cluster's name */
export async function confirm(name: string): Promise<void> {
  using person = prompt(process.stdin, process.stderr, "nothing was touched");
  const answer = await person.ask(`\nType the cluster's name, ${name}, to do this:`);
  if (answer !== name)
    throw new UserError(`${answer || "nothing"} is not ${name}: nothing was touched`);
}
