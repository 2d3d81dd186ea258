import { spawn } from "node:child_process";
import type { ClusterPlan } from "../../plan/plan.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { reachNode } from "../../steps/ssh/guests.ts";
import { output } from "../../steps/ssh/process.ts";
import type { NodeReach } from "../../steps/ssh/target.ts";

const library = "/usr/local/lib/oslo-cluster";

/** A control plane that this machine reaches over SSH. */
export interface ControlPlane {
  name: string;
  reach: NodeReach;
  /** Runs one of the nodes' own scripts as root; answers what it printed. @throws what it said */
  run(script: string, ...words: string[]): Promise<string>;
  /** The same, with text on its standard input. */
  send(text: string, script: string, ...words: string[]): Promise<string>;
  /** The same, with its standard input from a pipeline of this machine. */
  feed(pipeline: string, script: string, ...words: string[]): Promise<void>;
}

/** The control planes of a plan, in its order. */
export async function controlPlanes(plan: ClusterPlan): Promise<ControlPlane[]> {
  const nodes = plan.nodes.filter(({ role }) => role === "control-plane");
  return Promise.all(
    nodes.map(async (node) => {
      const reach = await reachNode(plan, node);
      const ssh = (script: string, words: string[]) => [
        ...["ssh", ...reach.sshArguments],
        reach.asRoot(["bash", `${library}/${script}.sh`, ...words].map(quote).join(" ")),
      ];
      return {
        name: node.name,
        reach,
        run: (script, ...words) => output(ssh(script, words)),
        send: (text, script, ...words) => output(ssh(script, words), { input: text }),
        feed: (pipeline, script, ...words) =>
          piped(`set -o pipefail; ${pipeline} | ${ssh(script, words).map(quote).join(" ")}`),
      };
    }),
  );
}

/** What passes through it is seen by nobody: neither an argument nor a file. */
function piped(line: string): Promise<void> {
  const child = spawn("bash", ["-c", line], { stdio: ["inherit", "inherit", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) =>
      status === 0 ? resolve() : reject(new Error(said.trim() || `ended with ${status}`)),
    );
  });
}
