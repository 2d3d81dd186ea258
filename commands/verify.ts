import { Command, Option } from "commander";
import { loadStackFile } from "../config/load.ts";
import { plan } from "../plan/plan.ts";
import { formatJunit } from "../verify/junit.ts";
import { promises } from "../verify/promises.ts";
import { formatFaults, formatTable } from "../verify/report.ts";
import { exitCode, runProofs } from "../verify/run.ts";
import { sshTransport } from "../verify/transport.ts";
import { warnOfAgent } from "./agent.ts";
import { UsageError } from "./command.ts";
import { untilInterrupted } from "./interrupt.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { outputFile } from "./output-file.ts";
import { progress } from "./progress.ts";
import { stackFileOf, stackHelp } from "./stack-file.ts";
import { rememberProved } from "./status/proved.ts";
import { agreedToCut, tryFailover } from "./verify/failover.ts";

interface Options {
  kubeconfig?: string;
  json?: boolean;
  junit?: string;
  only?: string;
  all?: boolean;
  allowUnproven?: boolean;
  disruptive?: "failover";
  yes?: boolean;
}

/** Every promise, proven on the running cluster by behaviour. */
export const command = new Command("verify")
  .summary("every promise, proven on the running cluster")
  .description("Proves every promise on the running cluster by behaviour; leaves nothing behind.")
  .argument("<stack>", stackHelp)
  .option("--kubeconfig <file>", "in the place of the stack's output; - is standard input")
  .option("--json", "the result as JSON")
  .option("--junit <file>", "the result for CI as well")
  .option("--all", "how each promise was proven, and what was read")
  .option("--only <word>", "only the promises that contain this text, in upper or lower case")
  .option("--allow-unproven", "exit 0 where nothing is broken, though something was not proved")
  .addOption(
    new Option(
      "--disruptive <what>",
      "failover: cut one control plane after the other, and measure what is lost; asks first",
    ).choices(["failover"]),
  )
  .option("--yes", "with --disruptive: do not ask")
  .action(verify);

async function verify(stack: string, options: Options): Promise<void> {
  const file = stackFileOf(stack);
  const config = loadStackFile(file);
  const clusterPlan = plan(config);
  const { only, junit } = options;
  const word = only?.toLowerCase() ?? "";
  const asked = promises.filter(({ promise }) => promise.toLowerCase().includes(word));
  if (asked.length === 0)
    throw new UsageError(
      `--only: ${only}: no promise contains it; docs/verification.md lists the promises`,
    );
  const writeJunit = junit === undefined ? undefined : outputFile("--junit", junit);
  const kubeconfig = await kubeconfigOf(file, options.kubeconfig);
  if (options.disruptive) await agreedToCut(config, options.yes ?? false);
  warnOfAgent();
  const transport = sshTransport(clusterPlan, { kubeconfig });

  const interrupted = untilInterrupted();
  if (options.disruptive) {
    await tryFailover(config, clusterPlan, transport, interrupted, options.json ?? false);
    return;
  }
  interrupted.addEventListener("abort", () => console.error("interrupted: removing what was made"));
  using shown = progress();
  let done = 0;
  const tell = () => shown.at(`${done} of ${asked.length} promises answered`);
  tell();
  const rows = await runProofs(asked, config, clusterPlan, transport, {
    signal: interrupted,
    onRow: () => {
      done++;
      tell();
    },
  }).finally(() => transport.close());
  shown[Symbol.dispose]();
  const { json, all } = options;
  console.log(json ? JSON.stringify(rows, null, 2) : formatTable(rows, { all }));
  // Who takes the table into a file, or into an engine's output, sees what is wrong all the same.
  const faults = formatFaults(rows);
  if (!process.stdout.isTTY && faults.length > 0) console.error(faults.join("\n"));
  writeJunit?.(formatJunit(rows, config.cluster.name));
  if (only === undefined && !interrupted.aborted)
    rememberProved(config.cluster.name, rows, new Date());
  const code = exitCode(rows);
  process.exitCode = code === 4 && options.allowUnproven ? 0 : code;
}
