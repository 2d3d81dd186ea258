import { spawn } from "node:child_process";
import { loadStackFile } from "../config/load.ts";
import { type NodePlan, plan } from "../plan/plan.ts";
import { type NodeReach, nodeReach } from "../plan/reach.ts";
import { renderStep, type StepDocument } from "../plan/step.ts";
import { runCommand } from "./command.ts";

// npm run drift -- <stack file>: holds every step of the plan against the nodes; changes nothing.
// Exit 3 where something has drifted, 1 where a node could not be asked.
runCommand("usage: npm run drift -- <stack file>", 1, async ([file]) => {
  const clusterPlan = plan(loadStackFile(file as string));
  const reports = await Promise.all(
    clusterPlan.nodes.map((node) => checkNode(nodeReach(clusterPlan, node), node)),
  );
  const lines = reports.flat();
  for (const { node, step, text } of lines) console.log(`${node}  ${step}  ${text}`);
  const drifted = lines.filter((line) => line.kind === "drift").length;
  const unasked = lines.filter((line) => line.kind === "unasked").length;
  const steps = clusterPlan.nodes.reduce((sum, node) => sum + Object.keys(node.steps).length, 0);
  console.log(
    `${steps} steps on ${clusterPlan.nodes.length} nodes: ${drifted} drifts, ${unasked} not asked`,
  );
  process.exitCode = unasked > 0 ? 1 : drifted > 0 ? 3 : 0;
});

interface Line {
  node: string;
  step: string;
  kind: "drift" | "unasked";
  text: string;
}

/** One step after the other, so that one machine is asked one thing at a time. */
async function checkNode(reach: NodeReach, { name, steps }: NodePlan): Promise<Line[]> {
  const lines: Line[] = [];
  for (const document of Object.values(steps)) {
    const { status, stdout, stderr } = await check(reach, document);
    if (status === 0) continue;
    const kind = status === 3 ? "drift" : "unasked";
    const text = (status === 3 ? stdout : stderr).trim();
    lines.push(
      ...text
        .split("\n")
        .map((line) => ({ node: name, step: document.step, kind, text: line }) as const),
    );
    if (status === 255) break; // ssh's own: the machine does not answer
  }
  return lines;
}

function check(reach: NodeReach, document: StepDocument) {
  const command = reach.asRoot(`/usr/local/lib/oslo-cluster/oslo-step check ${document.step}`);
  const child = spawn("ssh", [...reach.sshArguments, command]);
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  child.stdin.on("error", () => {}); // a dead ssh; its exit code tells
  child.stdin.end(renderStep(document));
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status: status ?? 1, ...output }));
  });
}
