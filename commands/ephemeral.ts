import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { runCommand } from "./command.ts";
import { down } from "./ephemeral/down.ts";
import { renderReport } from "./ephemeral/leftovers.ts";
import { type Reaped, reap } from "./ephemeral/reap.ts";
import { stackOf } from "./ephemeral/record.ts";
import { readTemplate } from "./ephemeral/template.ts";
import { formatDuration, parseDuration } from "./ephemeral/ttl.ts";
import { up } from "./ephemeral/up.ts";
import { records } from "./ephemeral/world.ts";

const usage = `usage: npm run ephemeral -- up <name> --ttl <time> --from <stack file> [--owner <who>]
                                    [--kubeconfig <file>] [--limit <time>]
       npm run ephemeral -- down <name> [--abandon <machine> …] [--limit <time>]
       npm run ephemeral -- list
       npm run ephemeral -- reap [--limit <time>]
  --ttl         how long it may live, from now: 90m, 4h, 1d12h; a second up prolongs it
  --from        the template: a stack's file with oslo-cluster-ephemeral:slots or :pool
  --owner       who asked for it; the user where it is not given
  --kubeconfig  a file for the kubeconfig, once the cluster is up
  --abandon     a machine or hypervisor that is gone for good: nothing waits for it
  --limit       what the command may take; up 1h, down and reap 30m for each cluster`;

// npm run ephemeral: clusters with an expiry. Exit 3 where something is left behind.
runCommand(usage, 1, async (args) => {
  const { verb, name, options } = readArguments(args);
  const request = verb === "up" ? options.up() : undefined;
  const seconds = options.seconds(request ? "1h" : "30m");
  // Pulumi's SDK takes a second, which wrong arguments need not wait for.
  const { realWorld } = await import("./ephemeral/operator.ts");
  const world = await realWorld();
  if (request) {
    const record = await up(world, { name, seconds, ...request });
    const { endpoint, kubeconfig } = await world.backend.outputs(stackOf(name));
    if (options.kubeconfig !== undefined)
      writeFileSync(options.kubeconfig, String(kubeconfig), { mode: 0o600 });
    console.log(`${name}: up at ${endpoint} until ${record.expiresAt.toISOString()}`);
  } else if (verb === "down") {
    const left = await down(world, { name, abandon: options.abandon, seconds });
    console.log(renderReport(name, left));
    process.exitCode = left.length > 0 ? 3 : 0;
  } else if (verb === "list") {
    const all = await records(world.backend);
    const now = Date.now();
    for (const { name: one, record } of all) {
      if (record === undefined) console.log(`${one}  no expiry: not touched`);
      else console.log(line(now, record));
    }
    if (all.length === 0) console.log("no ephemeral cluster");
  } else {
    const results = await reap(world, seconds);
    for (const result of results) console.log(told(result));
    const outcomes = results.map(({ outcome }) => outcome);
    process.exitCode = outcomes.includes("failed") ? 1 : outcomes.includes("left") ? 3 : 0;
  }
});

function line(now: number, record: NonNullable<Awaited<ReturnType<typeof records>>[0]["record"]>) {
  const { name, owner, expiresAt, phase, claims } = record;
  const remaining = expiresAt.getTime() - now;
  const state = phase === "down" ? "going down" : remaining > 0 ? "up" : "expired";
  const when = remaining > 0 ? `in ${formatDuration(remaining)}` : expiresAt.toISOString();
  return `${name}  ${state}  ${owner}  expires ${when}  ${claims.join(" ")}`;
}

function told({ name, outcome, leftovers, error }: Reaped): string {
  if (outcome === "gone" || outcome === "left") return renderReport(name, leftovers);
  if (outcome === "living") return `${name}: not expired`;
  if (outcome === "no expiry") return `${name}: no expiry: not touched`;
  return `${outcome}: ${error}`;
}

function readArguments(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ttl: { type: "string" },
      from: { type: "string" },
      owner: { type: "string" },
      kubeconfig: { type: "string" },
      limit: { type: "string" },
      abandon: { type: "string", multiple: true, default: [] },
    },
  });
  const [verb = "", name = "", ...more] = positionals;
  const named = verb === "up" || verb === "down";
  if (!["up", "down", "list", "reap"].includes(verb)) throw wrong(`${verb}: no such command`);
  if (named && name === "") throw wrong(`${verb}: which? give the cluster's name`);
  const surplus = named ? more : [name, ...more].filter(Boolean);
  if (surplus.length > 0) throw wrong(`${surplus.join(" ")}: too many words for ${verb}`);
  if (verb === "up" && (values.ttl === undefined || values.from === undefined))
    throw wrong("up: needs --ttl and --from");
  const seconds = (otherwise: string) => parseDuration("--limit", values.limit ?? otherwise) / 1000;
  return {
    verb,
    name,
    options: {
      ...{ seconds, kubeconfig: values.kubeconfig },
      abandon: values.abandon.flatMap((list) => list.split(",")).filter(Boolean),
      up: () => ({
        owner: values.owner ?? userInfo().username,
        template: readTemplate(values.from as string),
        ttl: parseDuration("--ttl", values.ttl as string),
      }),
    },
  };
}

function wrong(message: string): Error {
  return Object.assign(new Error(`${message}\n${usage}`), { code: "USAGE" });
}
