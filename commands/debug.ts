import { Argument, Command } from "commander";
import type { Config } from "../config/config.ts";
import { loadStackFile } from "../config/load.ts";
import { printableLines } from "../config/problem.ts";
import { type ClusterPlan, plan } from "../plan/plan.ts";
import { quote } from "../steps/ssh/arguments.ts";
import { interact, output } from "../steps/ssh/process.ts";
import { agentFunction, reasonOf } from "../verify/cluster.ts";
import { sshTransport } from "../verify/transport.ts";
import { warnOfAgent } from "./agent.ts";
import { UsageError, UserError } from "./command.ts";
import { besidePod, type Entered, type Kubectl, leave, onNode } from "./debug/pods.ts";
import { leaveInterruptsToProgram, untilInterrupted } from "./interrupt.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { stackFileOf, stackHelp } from "./stack-file.ts";

/** Looks into a cluster that misbehaves. */
export const command = new Command("debug")
  .summary("a shell beside a pod or on a node, dropped packets and why")
  .description(
    `Looks into a cluster that misbehaves. What it makes there is removed at the end.

  pod NAMESPACE/POD [-- COMMAND...]   a shell with network tools beside a pod's containers
  node NODE [-- COMMAND...]           the same in a node's own network; its files are in /host
  drops [NODE...] [-- OPTIONS...]     dropped flows of all nodes or some, as they come; hubble observe's options
  reasons NODE [-- OPTIONS...]        where the kernel drops packets, and why; pwru's options and filter

Images: verify.debugImage, verify.pwruImage of the stack's file.`,
  )
  .argument("<stack>", stackHelp)
  .addArgument(
    new Argument("<what>", "what to look at").choices(["pod", "node", "drops", "reasons"]),
  )
  .argument("[names...]", "which; after -- what is passed on")
  .option("--kubeconfig <file>", "in the place of the stack's output; - is standard input")
  .action(debug);

async function debug(
  stack: string,
  what: string,
  words: string[],
  options: { kubeconfig?: string },
): Promise<void> {
  const passedOn = afterDashes();
  const names = words.slice(0, words.length - passedOn.length);
  const file = stackFileOf(stack);
  const config = loadStackFile(file);
  const clusterPlan = plan(config);
  const known = clusterPlan.nodes.map(({ name }) => name);
  const unknown = what === "pod" ? [] : names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UserError(`${unknown.join(", ")}: no node of the stack; it has ${known.join(", ")}`);
  }
  const enter = ways[what];
  if (enter === undefined) return drops(clusterPlan, names.length > 0 ? names : known, passedOn);
  const [first, ...others] = names;
  if (first === undefined || others.length > 0 || (what === "pod" && !podPattern.test(first)))
    throw new UsageError(
      `debug ${what}: ${names.join(" ") || "(not set)"}: write one ${what === "pod" ? "pod as NAMESPACE/POD" : `node of ${known.join(", ")}`}`,
    );

  const kubeconfig = await kubeconfigOf(file, options.kubeconfig);
  const kubectl: Kubectl = (words, input) =>
    output(["kubectl", "--kubeconfig", kubeconfig, ...words], input === undefined ? {} : { input });
  leaveInterruptsToProgram();
  const { entered, wanted } = await enter(kubectl, first, config.verify, passedOn);
  const { namespace, pod, container } = entered;
  process.exitCode = await interact([
    ...["kubectl", "--kubeconfig", kubeconfig, "-n", namespace, "exec"],
    ...[process.stdin.isTTY ? "-it" : "-i", pod, "-c", container, "--", ...wanted],
  ]).finally(() => leave(entered));
}

type Images = Config["verify"];

/** Makes what is asked for; answers it, and what is to run there. */
type Way = (
  kubectl: Kubectl,
  name: string,
  images: Images,
  command: string[],
) => Promise<{ entered: Entered; wanted: string[] }>;

const podPattern = /^([^/]+)\/([^/]+)$/;

const ways: Record<string, Way> = {
  pod: async (kubectl, name, { debugImage: image }, command) => {
    const [, namespace = "", pod = ""] = name.match(podPattern) ?? [];
    return { entered: await besidePod(kubectl, { namespace, pod, image }), wanted: shell(command) };
  },
  node: async (kubectl, node, { debugImage: image }, command) => {
    const entered = await onNode(kubectl, { node, image, field: "verify.debugImage" });
    return { entered, wanted: shell(command) };
  },
  reasons: async (kubectl, node, { pwruImage: image }, command) => {
    const entered = await onNode(kubectl, { node, image, field: "verify.pwruImage" });
    return { entered, wanted: ["pwru", ...pwruOptions, ...command] };
  },
};

function shell(command: string[]): string[] {
  return command.length > 0 ? command : ["sh", "-c", "command -v bash >&- && exec bash; exec sh"];
}

/** Prints dropped flows of the nodes as they come, until it is interrupted. */
async function drops(clusterPlan: ClusterPlan, nodes: string[], options: string[]): Promise<void> {
  const signal = untilInterrupted();
  warnOfAgent();
  const transport = sshTransport(clusterPlan, { kubeconfig: "" });
  const script = dropsScript(options.map(quote).join(" "));
  const follow = async (node: string) => {
    try {
      await transport.follow(node, script, signal, (line) =>
        console.log(printableLines(`${node}  ${line}`)),
      );
    } catch (error) {
      if (signal.aborted) return;
      console.error(printableLines(`${node}: ${reasonOf(error)}`));
      process.exitCode = 1;
    }
  };
  await Promise.all(nodes.map(follow)).finally(() => transport.close());
}

/** Functions of the kernel that end a packet, with the reason as their argument; its name changed in Linux 6.12. */
const pwruOptions = [
  ...["--output-meta", "--output-tuple", "--filter-func"],
  "kfree_skb_reason|sk_skb_reason_drop|kfree_skb_list_reason",
];

/**
 * Hubble is the agent container's own process, with nothing around it: ctr hands on every signal that it gets, also
 * SIGPIPE where it prints as the connection ends, and what that ends may leave Hubble behind.
 */
export const dropsScript = (options: string) =>
  `${agentFunction}
agent hubble observe --server unix:///var/run/cilium/hubble.sock --verdict DROPPED --follow ${options}`;

/** What comes after `--` is another program's. */
function afterDashes(): string[] {
  const end = process.argv.indexOf("--");
  return end < 0 ? [] : process.argv.slice(end + 1);
}
