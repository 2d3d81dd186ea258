/** What every command's exit code means. */
export const exitCodes = {
  0: "done, and nothing to report",
  1: "not done: an error, which the message names",
  2: "wrong arguments; nothing was done",
  3: "done, and found what a person must look at: drift, a broken promise, a change that --fail-on refuses, something left behind",
  4: "done, and something could not be judged: a promise that was not proved, a machine that does not answer",
  130: "interrupted; what was made is removed",
} as const;

export type ExitCode = keyof typeof exitCodes;

export function exitCodeTable(): string {
  const lines = Object.entries(exitCodes).map(([code, means]) => `  ${code.padEnd(3)}  ${means}`);
  return ["Exit codes:", ...lines].join("\n");
}
