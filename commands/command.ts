import { CommanderError } from "commander";
import { ConfigError, printableLines } from "../config/problem.ts";
import { CommandFailed } from "../steps/ssh/process.ts";
import type { ExitCode } from "./exit-codes.ts";

/** An error that a person can correct, with all that they need to know: a stack trace adds nothing. */
export class UserError extends Error {}

/** Arguments that do not fit together, which the parser cannot know. */
export class UsageError extends Error {}

/** Where the trace of an unexpected error is shown. */
const traceVariable = "OSLO_CLUSTER_TRACE";

/** Prints an error as a person reads it. @returns the exit code that it means */
export function report(error: unknown): ExitCode {
  // The parser has printed its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const {
    code,
    message = String(error),
    stack,
  } = (error ?? {}) as Partial<Error> & {
    code?: string;
  };
  const isUsage = error instanceof UsageError || code === "USAGE";
  const isExpected =
    isUsage ||
    code !== undefined ||
    [ConfigError, UserError, CommandFailed].some((kind) => error instanceof kind);
  const said = printableLines(message);
  if (isExpected) console.error(said);
  else {
    console.error(
      `unexpected error: ${said}\nA defect of this program: report it, with what ${traceVariable}=1 adds here.`,
    );
    if (process.env[traceVariable]) console.error(stack);
  }
  return isUsage ? 2 : 1;
}
