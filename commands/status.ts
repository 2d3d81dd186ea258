import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { Command } from "commander";
import { printable } from "../config/problem.ts";
import { plan } from "../plan/plan.ts";
import { reasonOf } from "../verify/cluster.ts";
import { sshTransport } from "../verify/transport.ts";
import { warnOfAgent } from "./agent.ts";
import type { ExitCode } from "./exit-codes.ts";
import { configOf } from "./stack-config.ts";
import { stackHelp } from "./stack-file.ts";
import { type NodeAnswer, readAnswer } from "./status/answer.ts";
import { assess, type Line } from "./status/assess.ts";
import { lastProved } from "./status/proved.ts";

/** All of it is asked side by side; what has not answered by then is said not to. */
const limitMilliseconds = 4000;

/** One screen in five seconds, over SSH alone. */
export const command = new Command("status")
  .summary("one screen: nodes, versions, certificates, backups, what differs")
  .description(
    "One screen in at most five seconds: nodes, versions, modes, steps that are not what the plan has, certificates, backups, what was not proved.",
  )
  .argument("<stack>", stackHelp)
  .option("--json", "the result as JSON")
  .action(async (stack: string, { json }: { json?: boolean }) => {
    const config = configOf(stack);
    const clusterPlan = plan(config);
    const script = readFileSync(new URL("status/node.sh", import.meta.url), "utf8");
    warnOfAgent();
    const transport = sshTransport(clusterPlan, { kubeconfig: "" });
    const signal = AbortSignal.timeout(limitMilliseconds);
    const ask = async (node: string): Promise<[string, NodeAnswer | string]> => {
      // What was said in time counts, also of a node that has not said all.
      const said: string[] = [];
      const onLine = (line: string) => void (signal.aborted || said.push(line));
      try {
        await endOrAbort(transport.follow(node, script, signal, onLine), signal);
      } catch (error) {
        if (!signal.aborted) return [node, reasonOf(error).split("\n").at(-1) ?? ""];
        if (said.length === 0) return [node, `nothing within ${limitMilliseconds / 1000} s`];
      }
      return [node, { ...readAnswer(said), isCut: signal.aborted }];
    };
    const answers = new Map(await Promise.all(clusterPlan.nodes.map(({ name }) => ask(name))));
    const proved = lastProved(config.cluster.name);
    const lines = assess({
      ...{ config, plan: clusterPlan, answers, now: new Date() },
      ...(proved ? { proved } : {}),
    });
    const { name } = config.cluster;
    console.log(
      json ? JSON.stringify(lines, null, 2) : formatStatus(name, clusterPlan.endpoint, lines),
    );
    process.exitCode = exitCodeOf(lines);
    // Connections that hang are not waited for.
    await Promise.race([transport.close(), new Promise((end) => setTimeout(end, 300).unref())]);
    process.exit();
  });

function endOrAbort(end: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer")), { once: true });
    end.then(resolve, reject);
  });
}

const mark = { good: "✓", bad: "✗", open: "–", off: "○" } as const;
const colour = { good: "green", bad: "red", open: "yellow", off: "dim" } as const;

export function formatStatus(name: string, endpoint: string, lines: readonly Line[]): string {
  const width = Math.max(...lines.map(({ what }) => what.length));
  return [
    styleText("bold", `${name}  https://${endpoint}`),
    ...lines.map(
      ({ what, state, says }) =>
        `${styleText(colour[state], `${mark[state]} ${what.padEnd(width)}`)}  ${printable(says)}`,
    ),
  ].join("\n");
}

function exitCodeOf(lines: readonly Line[]): ExitCode {
  if (lines.some(({ state }) => state === "bad")) return 3;
  return lines.some(({ state }) => state === "open") ? 4 : 0;
}
