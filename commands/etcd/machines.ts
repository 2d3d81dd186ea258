import { spawn } from "node:child_process";
import type { ClusterPlan, NodePlan } from "../../plan/plan.ts";
import { claimScript } from "../../steps/bundle.ts";
import { quote } from "../../steps/ssh/arguments.ts";
import { reachNode } from "../../steps/ssh/guests.ts";
import { CommandFailed, output } from "../../steps/ssh/process.ts";
import { warnOfAgent } from "../agent.ts";

const library = "/usr/local/lib/oslo-cluster";

/** A node that this machine reaches over SSH, as root. Each throws what was said there. */
export interface Machine {
  name: string;
  node: NodePlan;
  /** Runs a line of shell; answers what it printed. */
  shell(line: string, input?: string): Promise<string>;
  /** The command line that runs one of the nodes' own scripts. */
  command(script: string, ...words: string[]): string[];
  /** Runs one of the nodes' own scripts, `restore state`. */
  run(script: string, ...words: string[]): Promise<string>;
  /** The same, with text on its standard input. */
  send(text: string, script: string, ...words: string[]): Promise<string>;
  /** The same, with its standard input from a pipeline of this machine. */
  feed(pipeline: string, script: string, ...words: string[]): Promise<string>;
  /** Runs `oslo-step`, with text on its standard input. */
  step(words: string, input?: string): Promise<string>;
  /** Puts this program's own scripts there, as `up` does first. */
  claim(): Promise<void>;
}

/** The nodes of a role, in the plan's order. */
export function machinesOf(plan: ClusterPlan, role: NodePlan["role"]): Promise<Machine[]> {
  warnOfAgent();
  return Promise.all(
    plan.nodes.filter((node) => node.role === role).map((node) => machine(plan, node)),
  );
}

async function machine(plan: ClusterPlan, node: NodePlan): Promise<Machine> {
  const { sshArguments, asRoot } = await reachNode(plan, node);
  const ssh = (line: string) => ["ssh", ...sshArguments, asRoot(line)];
  const shell = (line: string, input = "") => output(ssh(line), { input });
  const call = (script: string, words: string[]) =>
    ["bash", `${library}/${script}.sh`, ...words].map(quote).join(" ");
  return {
    ...{ name: node.name, node },
    shell: (line, input) => shell(`bash -c ${quote(line)}`, input),
    command: (script, ...words) => ssh(call(script, words)),
    run: (script, ...words) => shell(call(script, words)),
    send: (text, script, ...words) => shell(call(script, words), text),
    feed: (pipeline, script, ...words) =>
      piped(`set -o pipefail; ${pipeline} | ${ssh(call(script, words)).map(quote).join(" ")}`),
    step: (words, input) => shell(`${library}/oslo-step ${words}`, input),
    claim: async () => {
      await shell(`bash -s -- ${plan.name} ${node.name}`, claimScript());
    },
  };
}

/** What passes through it is seen by nobody: neither an argument nor a file. A key may ask for its passphrase. */
function piped(line: string): Promise<string> {
  const child = spawn("bash", ["-c", line], { stdio: ["inherit", "pipe", "pipe"] });
  let printed = "";
  let said = "";
  child.stdout.on("data", (data: Buffer) => {
    printed += data;
  });
  child.stderr.on("data", (data: Buffer) => {
    said += data;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) =>
      status === 0
        ? resolve(printed)
        : reject(new CommandFailed(said.trim() || `ended with ${status}`)),
    );
  });
}
