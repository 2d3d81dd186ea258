import { userInfo } from "node:os";
import { Command } from "commander";
import { checkName, records } from "./ephemeral/context.ts";
import { down } from "./ephemeral/down.ts";
import { renderReport } from "./ephemeral/leftovers.ts";
import { operatorContext } from "./ephemeral/operator-context.ts";
import { type Reaped, reap } from "./ephemeral/reap.ts";
import { stackOf } from "./ephemeral/stack-tags.ts";
import { readTemplate } from "./ephemeral/template.ts";
import { formatDuration, parseDuration } from "./ephemeral/ttl.ts";
import { up } from "./ephemeral/up.ts";
import { everyOf } from "./every-of.ts";
import { outputFile } from "./output-file.ts";
import { stackFileOf } from "./stack-file.ts";

/** Clusters with an expiry. */
export const command = new Command("ephemeral")
  .summary("clusters with an expiry: up, down, list, reap")
  .description("Clusters that expire, on machines of a pool or as guests.");

const limit = (otherwise: string, per = "") =>
  ["--limit <time>", `what it may take${per}: 90m, 2h`, otherwise] as const;
const asJson = ["--json", "the result as JSON"] as const;

interface UpOptions {
  ttl: string;
  from: string;
  owner: string;
  kubeconfig?: string;
  limit: string;
  json?: boolean;
}

command
  .command("up")
  .description("Makes a cluster, or prolongs one and brings it to its template.")
  .argument("<name>", "the cluster's name")
  .requiredOption("--ttl <time>", "how long it may live, from now: 90m, 4h, 1d12h")
  .requiredOption(
    "--from <stack>",
    "the template: a stack with oslo-cluster-ephemeral:slots or :pool",
  )
  .option("--owner <who>", "who asked for it", userInfo().username)
  .option("--kubeconfig <file>", "a file for the kubeconfig, once the cluster is up")
  .option(...limit("1h"))
  .option(...asJson)
  .action(async (name: string, options: UpOptions) => {
    const [, ttl, template, seconds] = everyOf(
      () => checkName(name),
      () => parseDuration("--ttl", options.ttl),
      () => readTemplate(stackFileOf(options.from)),
      () => secondsOf(options.limit),
    );
    const write =
      options.kubeconfig === undefined ? undefined : outputFile("--kubeconfig", options.kubeconfig);
    const context = operatorContext();
    const record = await up(context, { name, seconds, owner: options.owner, template, ttl });
    const { endpoint, kubeconfig } = await context.backend.outputs(stackOf(name));
    write?.(String(kubeconfig), 0o600);
    const expires = record.expiresAt.toISOString();
    if (options.json) print({ name, endpoint, expires });
    else console.log(`${name}: up at ${endpoint} until ${expires}`);
  });

command
  .command("down")
  .description("Removes a cluster, and reports what is left of it.")
  .argument("<name>", "the cluster's name")
  .option(
    "--abandon <machine>",
    "a machine or hypervisor that is gone for good: nothing waits for it; may be repeated",
    (list: string, known: string[]) => [...known, ...list.split(",").filter(Boolean)],
    [] as string[],
  )
  .option(...limit("30m"))
  .option(...asJson)
  .action(async (name: string, options: { abandon: string[]; limit: string; json?: boolean }) => {
    const [, seconds] = everyOf(
      () => checkName(name),
      () => secondsOf(options.limit),
    );
    const left = await down(operatorContext(), { name, abandon: options.abandon, seconds });
    if (options.json) print({ name, left });
    else console.log(renderReport(name, left));
    process.exitCode = left.length > 0 ? 3 : 0;
  });

command
  .command("list")
  .description("The ephemeral clusters, and when each expires.")
  .option(...asJson)
  .action(async ({ json }: { json?: boolean }) => {
    const all = await records(operatorContext().backend);
    const now = Date.now();
    if (json) return print(all.map(({ name, record }) => ({ name, ...record })));
    for (const { name, record } of all) {
      console.log(record ? line(now, record) : `${name}  no expiry: not touched`);
    }
    if (all.length === 0) console.log("no ephemeral cluster");
  });

command
  .command("reap")
  .description("Removes the clusters that have expired; safe from cron.")
  .option(...limit("30m", " for each cluster"))
  .option(...asJson)
  .action(async (options: { limit: string; json?: boolean }) => {
    const seconds = secondsOf(options.limit);
    const results = await reap(operatorContext(), seconds);
    if (options.json) print(results);
    else for (const result of results) console.log(describe(result));
    const outcomes = results.map(({ outcome }) => outcome);
    process.exitCode = outcomes.includes("failed") ? 1 : outcomes.includes("left") ? 3 : 0;
  });

function secondsOf(text: string): number {
  return parseDuration("--limit", text) / 1000;
}

function print(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

function line(now: number, record: NonNullable<Awaited<ReturnType<typeof records>>[0]["record"]>) {
  const { name, owner, expiresAt, phase, claims } = record;
  const remaining = expiresAt.getTime() - now;
  const state = phase === "down" ? "going down" : remaining > 0 ? "up" : "expired";
  const when = remaining > 0 ? `in ${formatDuration(remaining)}` : expiresAt.toISOString();
  return `${name}  ${state}  ${owner}  expires ${when}  ${claims.join(" ")}`;
}

function describe({ name, outcome, leftovers, error }: Reaped): string {
  if (outcome === "gone" || outcome === "left") return renderReport(name, leftovers);
  if (outcome === "living") return `${name}: not expired`;
  if (outcome === "no expiry") return `${name}: no expiry: not touched`;
  return `${outcome}: ${error}`;
}
