import { Command } from "commander";
import { plan } from "../plan/plan.ts";
import { limit } from "../steps/ssh/limit.ts";
import { warnOfAgent } from "./agent.ts";
import { type Asked, askMachine, machinesOf } from "./drift/machine.ts";
import { formatDrift } from "./drift/report.ts";
import type { ExitCode } from "./exit-codes.ts";
import { untilInterrupted } from "./interrupt.ts";
import { progress } from "./progress.ts";
import { configOf } from "./stack-config.ts";
import { stackHelp } from "./stack-file.ts";

/** Compares the plan with nodes and hypervisors; changes nothing. */
export const command = new Command("drift")
  .summary("what machines hold, compared with the plan")
  .description("Compares the plan with what nodes and hypervisors hold; changes nothing.")
  .argument("<stack>", stackHelp)
  .option("--json", "the result as JSON")
  .action(async (stack: string, { json }: { json?: boolean }) => {
    const config = configOf(stack);
    const clusterPlan = plan(config);
    const machines = machinesOf(clusterPlan);
    warnOfAgent();
    const atOnce = limit(config.verify.parallelism);
    const interrupted = untilInterrupted();
    using shown = progress();
    let done = 0;
    const tell = () => shown.at(`${done} of ${machines.length} machines asked`);
    tell();
    const asked = await Promise.all(
      machines.map(async (machine) => {
        const result = await atOnce(() => askMachine(clusterPlan, machine, interrupted));
        done++;
        tell();
        return result;
      }),
    );
    shown[Symbol.dispose]();
    console.log(json ? JSON.stringify(asked, null, 2) : formatDrift(asked));
    process.exitCode = exitCodeOf(asked);
  });

function exitCodeOf(asked: readonly Asked[]): ExitCode {
  if (asked.some(({ drift }) => drift.length > 0)) return 3;
  return asked.some(({ errors }) => errors.length > 0) ? 4 : 0;
}
