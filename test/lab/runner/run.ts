/**
 * One run of the lab's engine, in a process of its own because the SDK's seam is global:
 *
 *   node test/lab/runner/run.ts up|preview --stack-file <file> --state <file> [--program index.ts]
 *   node test/lab/runner/run.ts destroy --state <file>
 *
 * Exit status 1 when anything failed, 130 or 143 when a signal stopped it.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Engine } from "./engine.ts";
import { stopAll, stopSignal } from "./exec.ts";
import { print, redact } from "./log.ts";
import { runProgram } from "./program.ts";
import { type RunResult, summarize } from "./result.ts";
import { readStackConfig } from "./stack-config.ts";
import { lock, State } from "./state.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    program: { type: "string", default: "index.ts" },
    "stack-file": { type: "string" },
    state: { type: "string" },
    project: { type: "string" },
    parallel: { type: "string", default: "10" },
    kubectl: { type: "string", default: "kubectl" },
    helm: { type: "string", default: "helm" },
    /** Where the result goes as JSON, readable by the owner only; it has the secret outputs too. */
    result: { type: "string" },
  },
});

async function main(): Promise<void> {
  endWithParent();
  const stateFile = resolve(required("state"));
  const resultFile = options.result === undefined ? undefined : resolve(options.result);
  lock(stateFile);
  const scratch = `${stateFile}.run`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { mode: 0o700 });
  try {
    const result = await run(stateFile, scratch);
    report(result);
    await deliver(result, resultFile);
    if (result.errors.length > 0) process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const signal = stopSignal();
  if (signal) process.exitCode = 128 + constants.signals[signal];
}

async function run(stateFile: string, scratch: string): Promise<RunResult> {
  const command = positionals[0];
  const preview = command === "preview";
  const { kubectl, helm } = options;
  const parallel = Number(options.parallel);
  const settings = { preview, parallel, tools: { kubectl, helm }, scratch };
  const engine = new Engine(new State(stateFile), settings);
  if (command === "destroy") {
    await engine.destroy();
    return summarize(engine, { outputs: {}, secretOutputs: [], errors: [] });
  }
  if (command !== "up" && command !== "preview") {
    throw new Error(`${command ?? "no command"}: not one of up, preview, destroy.`);
  }
  const program = resolve(options.program);
  const config = readStackConfig(resolve(required("stack-file")), program, options.project);
  const outcome = await runProgram(program, config, preview, engine);
  if (outcome.errors.length + engine.failures.length === 0) await engine.deleteLeftovers();
  return summarize(engine, outcome);
}

function required(name: "state" | "stack-file"): string {
  const value = options[name];
  if (value === undefined) throw new Error(`--${name} is missing.`);
  return value;
}

/** Ends the children when this process is told to end, or when the one that started it is gone. */
function endWithParent(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => stopAll(signal));
  }
  process.on("disconnect", () => stopAll("SIGTERM"));
  // The channel to the parent is no work that is left to do.
  process.channel?.unref();
}

function report({ summary, errors }: RunResult): void {
  const counts = Object.entries(summary).filter(([, count]) => count > 0);
  print(counts.map(([op, count]) => `${count} ${op}`).join(", ") || "nothing to do");
  for (const error of errors) print(`error: ${error}`);
}

async function deliver(result: RunResult, file: string | undefined): Promise<void> {
  const clean = { ...result, errors: result.errors.map(redact) };
  if (file !== undefined) writeFileSync(file, JSON.stringify(clean), { mode: 0o600 });
  if (process.send) await new Promise((sent) => process.send?.(clean, sent));
}

main().catch((error: unknown) => {
  print(`error: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
