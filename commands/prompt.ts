import { createInterface } from "node:readline";
import { UserError } from "./command.ts";

/** Asks a person, or whatever standard input is: a line for each question. */
export interface Prompt extends Disposable {
  /** @param otherwise What an empty answer means. @throws UserError where the input has ended */
  ask(question: string, otherwise?: string): Promise<string>;
}

export function prompt(
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
  otherwiseDone = "nothing was written",
): Prompt {
  const lines = createInterface({ input, terminal: false });
  const next = lines[Symbol.asyncIterator]();
  return {
    async ask(question, otherwise) {
      output.write(`${question}${otherwise === undefined ? "" : ` [${otherwise}]`} `);
      const { done, value } = await next.next();
      // A person's Enter has ended the line on a terminal.
      if (done || !("isTTY" in input && input.isTTY)) output.write("\n");
      if (done) throw new UserError(`the input has ended; ${otherwiseDone}`);
      return value.trim() || (otherwise ?? "");
    },
    [Symbol.dispose]: () => lines.close(),
  };
}
