import type { ClusterPlan } from "../../plan/plan.ts";
import { renderStep } from "../../plan/step.ts";
import { hypervisorScript } from "../../steps/hypervisor/bundle.ts";
import { reachHypervisor, reachNode } from "../../steps/ssh/guests.ts";
import { output, runProcess } from "../../steps/ssh/process.ts";
import type { NodeReach } from "../../steps/ssh/target.ts";

export interface Machine {
  kind: "node" | "hypervisor";
  name: string;
}

/** What one machine answered. */
export interface Asked extends Machine {
  /** How many documents were compared. */
  compared: number;
  /** Documents that differ, each with a line for each difference. */
  drift: { document: string; differences: string[] }[];
  /** Why something could not be compared, each reason once. */
  errors: string[];
}

interface Check {
  document: string;
  command: string;
  input: string;
}

/** All checks of one machine may take this long: one that hangs does not hold up the result. */
const limitMilliseconds = 120_000;

/** ssh's own exit code: the machine does not answer. */
const noConnection = 255;

/** Hypervisors first: guests depend on them. */
export function machinesOf({ hypervisors, nodes }: ClusterPlan): Machine[] {
  return [
    ...hypervisors.map(({ name }) => ({ kind: "hypervisor" as const, name })),
    ...nodes.map(({ name }) => ({ kind: "node" as const, name })),
  ];
}

/** Asks one machine for one document after the other; never throws. */
export async function askMachine(
  plan: ClusterPlan,
  machine: Machine,
  interrupted: AbortSignal,
  milliseconds = limitMilliseconds,
): Promise<Asked> {
  const asked: Asked = { ...machine, compared: 0, drift: [], errors: [] };
  const late = AbortSignal.timeout(milliseconds);
  const signal = AbortSignal.any([late, interrupted]);
  try {
    const reach = await reachOf(plan, machine, signal);
    for (const { document, command, input } of checksOf(plan, machine, reach)) {
      const ssh = ["ssh", ...reach.sshArguments, command];
      const { status, stdout, stderr } = await runProcess(ssh, { input, signal });
      if (status === 0 || status === 3) asked.compared++;
      if (status === 3) asked.drift.push({ document, differences: stdout.trim().split("\n") });
      else if (status !== 0) addError(asked, lastLine(stderr) || `ended with ${status}`);
      if (status === noConnection) break;
    }
  } catch (error) {
    addError(
      asked,
      interrupted.aborted
        ? "interrupted"
        : late.aborted
          ? `no answer within ${milliseconds / 1000} s`
          : lastLine((error as Error).message),
    );
  }
  return asked;
}

function reachOf(plan: ClusterPlan, { kind, name }: Machine, signal: AbortSignal) {
  if (kind === "hypervisor") return Promise.resolve(reachHypervisor(plan, name));
  const node = plan.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return reachNode(plan, node, (command) => output(command, { signal }));
}

function checksOf(plan: ClusterPlan, { kind, name }: Machine, reach: NodeReach): Check[] {
  if (kind === "node") {
    const node = plan.nodes.find((candidate) => candidate.name === name);
    return Object.values(node?.steps ?? {}).map((document) => ({
      ...{ document: document.step, input: renderStep(document) },
      command: reach.asRoot(`/usr/local/lib/oslo-cluster/oslo-step check ${document.step}`),
    }));
  }
  const own = plan.hypervisors.filter((hypervisor) => hypervisor.name === name);
  const guests = plan.nodes.flatMap((node) =>
    node.guest?.hypervisor === name ? [node.guest] : [],
  );
  return [
    ...own.flatMap(({ vlan, image }) => [vlan, image]),
    ...guests.flatMap(({ guest, domain, live }) => [guest, domain, live]),
  ].map((document) => ({
    ...{ document: document.script, input: hypervisorScript(document) },
    command: reach.asRoot("bash -s -- check"),
  }));
}

function addError(asked: Asked, message: string): void {
  if (!asked.errors.includes(message)) asked.errors.push(message);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
