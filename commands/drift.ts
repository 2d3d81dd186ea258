import { loadStackFile } from "../config/load.ts";
import { type ClusterPlan, type NodePlan, plan } from "../plan/plan.ts";
import type { NodeReach } from "../plan/reach.ts";
import { renderStep } from "../plan/step.ts";
import { hypervisorScript } from "../steps/hypervisor/bundle.ts";
import { runProcess } from "../verify/process.ts";
import { reachHypervisor, reachNode } from "../verify/reaches.ts";
import { runCommand } from "./command.ts";

// npm run drift -- <stack file>: holds the plan against nodes and hypervisors; changes nothing.
// Exit 3 where something has drifted, 1 where a machine could not be asked.
runCommand("usage: npm run drift -- <stack file>", 1, async ([file]) => {
  const clusterPlan = plan(loadStackFile(file as string));
  const { nodes, hypervisors } = clusterPlan;
  const lines = (
    await Promise.all([
      ...hypervisors.map((hypervisor) => ask(hypervisorChecks(clusterPlan, hypervisor.name))),
      ...nodes.map(async (node) => ask(await nodeChecks(clusterPlan, node))),
    ])
  ).flat();
  for (const { machine, what, text } of lines) console.log(`${machine}  ${what}  ${text}`);
  const drifted = lines.filter((line) => line.kind === "drift").length;
  const unasked = lines.filter((line) => line.kind === "unasked").length;
  const steps = nodes.reduce((sum, node) => sum + Object.keys(node.steps).length, 0);
  const made = nodes.filter(({ guest }) => guest).length;
  const asked = [
    `${steps} steps on ${nodes.length} nodes`,
    ...(hypervisors.length > 0 ? [`${made} guests on ${hypervisors.length} hypervisors`] : []),
  ].join(", ");
  console.log(`${asked}: ${drifted} drifts, ${unasked} not asked`);
  process.exitCode = unasked > 0 ? 1 : drifted > 0 ? 3 : 0;
});

/** One question to one machine. */
interface Check {
  machine: string;
  what: string;
  reach: NodeReach;
  command: string;
  input: string;
}

interface Line {
  machine: string;
  what: string;
  kind: "drift" | "unasked";
  text: string;
}

async function nodeChecks(clusterPlan: ClusterPlan, node: NodePlan): Promise<Check[] | Line> {
  const { name } = node;
  let reach: NodeReach;
  try {
    reach = await reachNode(clusterPlan, node);
  } catch (error) {
    const text = (error as Error).message;
    return { machine: name, what: "host key", kind: "unasked", text };
  }
  return Object.values(node.steps).map((document) => ({
    ...{ machine: name, what: document.step, reach, input: renderStep(document) },
    command: reach.asRoot(`/usr/local/lib/oslo-cluster/oslo-step check ${document.step}`),
  }));
}

function hypervisorChecks(clusterPlan: ClusterPlan, name: string): Check[] {
  const { hypervisors, nodes } = clusterPlan;
  const own = hypervisors.filter((hypervisor) => hypervisor.name === name);
  const guests = nodes.flatMap((node) => (node.guest?.hypervisor === name ? [node.guest] : []));
  const reach = reachHypervisor(clusterPlan, name);
  const command = reach.asRoot("bash -s -- check");
  return [
    ...own.flatMap(({ vlan, image }) => [vlan, image]),
    ...guests.flatMap(({ guest, domain, live }) => [guest, domain, live]),
  ].map((document) => ({
    ...{ machine: name, what: document.script, reach, command },
    input: hypervisorScript(document),
  }));
}

/** One after the other, so that one machine is asked one thing at a time. */
async function ask(checks: Check[] | Line): Promise<Line[]> {
  if (!Array.isArray(checks)) return [checks];
  const lines: Line[] = [];
  for (const { machine, what, reach, command, input } of checks) {
    const { status, stdout, stderr } = await runProcess(["ssh", ...reach.sshArguments, command], {
      input,
    });
    if (status === 0) continue;
    const kind = status === 3 ? "drift" : "unasked";
    const text = (status === 3 ? stdout : stderr).trim();
    lines.push(...text.split("\n").map((line) => ({ machine, what, kind, text: line }) as const));
    if (status === 255) break; // ssh's own: the machine does not answer
  }
  return lines;
}
