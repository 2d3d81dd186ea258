import { stackChanges } from "../../commands/impact/changes.ts";
import { loadConfig } from "../../config/load.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import { largeStack } from "./large-stack.ts";

// node test/bench/plan-scale.ts NODES: checks, plans, renders and compares a cluster of so many nodes, and
// says what that took: seconds of CPU, which other work on the machine does not change, and memory.
const count = Number(process.argv[2]);
const before = planFiles(plan(loadConfig(largeStack(count, "ntp.uio.no"), "bench")));
const rendered = process.cpuUsage();
const after = planFiles(plan(loadConfig(largeStack(count, "ntp.justervesenet.no"), "bench")));
const { changes } = stackChanges(before, after);
const all = process.cpuUsage();
const { maxRSS } = process.resourceUsage();
console.log(
  JSON.stringify({
    nodes: count,
    files: after.size,
    megabytes: megabytes(after),
    changedMachines: new Set(changes.flatMap(({ machines }) => machines)).size,
    renderSeconds: seconds(rendered),
    impactSeconds: seconds(all),
    peakMebibytes: Math.round(maxRSS / 1024),
  }),
);

function seconds({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 1e4) / 100;
}

function megabytes(files: ReadonlyMap<string, string>): number {
  const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0);
  return Math.round(bytes / 1e5) / 10;
}
