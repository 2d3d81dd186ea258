import { ConfigError } from "../config/problem.ts";

/** What a person did or has to mend, said in full: no stack trace makes it clearer. */
export class UserError extends Error {}

/** Runs an entry point: its usage where arguments are missing or wrong (exit 2), errors without a stack trace (exit 1). */
export function runCommand(
  usage: string,
  required: number,
  main: (args: string[]) => void | Promise<void>,
): void {
  const args = process.argv.slice(2);
  if (args.length < required || args.includes("--help")) {
    console.error(usage);
    process.exitCode = args.includes("--help") ? 0 : 2;
    return;
  }
  Promise.resolve()
    .then(() => main(args))
    .catch((error: unknown) => {
      const { code } = error as { code?: string };
      const expected =
        error instanceof ConfigError || error instanceof UserError || code !== undefined;
      console.error(expected ? (error as Error).message : error);
      process.exitCode = /^(USAGE|ERR_PARSE_ARGS_.*)$/.test(code ?? "") ? 2 : 1;
    });
}

/** A signal that comes when a person or a machine ends this process, which then may remove what it made. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => controller.abort());
  }
  return controller.signal;
}
