import { ConfigError } from "../config/problem.ts";

/** Runs an entry point: its usage where arguments are missing (exit 2), errors without a stack trace (exit 1). */
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
      const expected =
        error instanceof ConfigError || (error as { code?: string }).code !== undefined;
      console.error(expected ? (error as Error).message : error);
      process.exitCode = 1;
    });
}
