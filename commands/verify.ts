import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadStackFile } from "../config/load.ts";
import { plan } from "../plan/plan.ts";
import { promises } from "../verify/promises.ts";
import { formatJunit, formatTable } from "../verify/report.ts";
import { exitCode, runProofs } from "../verify/run.ts";
import { sshTransport } from "../verify/transport.ts";
import { runCommand, UserError, untilInterrupted } from "./command.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { stackFileOf } from "./stack-file.ts";

const usage = `usage: npm run verify -- <stack> [--kubeconfig FILE] [--json] [--junit FILE] [--only WORD]
  --kubeconfig FILE  instead of the stack's output; - takes it from standard input
  --json             the table as JSON
  --junit FILE       the table for CI as well
  --only WORD        the promises that hold this word alone
  --proved-enough    exit 0 where nothing is broken, though something was not proved
exit code: 0 all proved, 1 a promise is broken, 2 wrong arguments, 4 none is broken but something was not proved`;

// npm run verify -- <stack>: every promise, proven on the running cluster by behaviour.
runCommand(usage, 1, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    options: {
      kubeconfig: { type: "string" },
      json: { type: "boolean", default: false },
      junit: { type: "string" },
      only: { type: "string" },
      "proved-enough": { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const file = stackFileOf(positionals[0] as string);
  const config = loadStackFile(file);
  const clusterPlan = plan(config);
  const { only } = values;
  const asked = promises.filter(({ promise }) => only === undefined || promise.includes(only));
  if (asked.length === 0) throw new UserError(`--only ${only}: no promise holds that word`);
  const kubeconfig = await kubeconfigOf(file, values.kubeconfig);
  const transport = sshTransport(clusterPlan, { kubeconfig });

  const interrupted = untilInterrupted();
  interrupted.addEventListener("abort", () => console.error("interrupted: removing what was made"));
  let done = 0;
  const rows = await runProofs(asked, config, clusterPlan, transport, {
    signal: interrupted,
    onRow: ({ verdict, promise, seconds, reading }) => {
      done++;
      const why = verdict === "pass" ? "" : `: ${reading}`;
      console.error(
        `${done}/${asked.length} ${verdict}, ${seconds.toFixed(1)} s: ${promise}${why}`,
      );
    },
  }).finally(() => transport.close());
  console.log(values.json ? JSON.stringify(rows, null, 2) : formatTable(rows));
  if (values.junit !== undefined) {
    writeFileSync(values.junit, formatJunit(rows, config.cluster.name));
  }
  const code = exitCode(rows);
  process.exitCode = code === 4 && values["proved-enough"] ? 0 : code;
});
