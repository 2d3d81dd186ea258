import type { ClusterPlan } from "../plan/plan.ts";
import { output, type ProcessOptions } from "../steps/ssh/process.ts";
import { connections } from "../steps/ssh/sessions.ts";
import { machineReach } from "../steps/ssh/target.ts";
import { kubectlOf } from "./kubectl.ts";

/** Ways into the cluster: SSH to its nodes, its API, and clients that are no part of it. */
export interface Transport {
  /** Runs a bash script as root on a node; answers its output. @throws where it fails */
  onNode(node: string, script: string, signal: AbortSignal): Promise<string>;
  /** Runs a bash script as root on a node until the signal, four hours at most, and tells what it prints as it comes. */
  follow(
    node: string,
    script: string,
    signal: AbortSignal,
    onLine: (line: string) => void,
  ): Promise<void>;
  /** Runs kubectl; answers its output. @throws where it fails */
  kubectl(args: readonly string[], signal: AbortSignal, input?: string): Promise<string>;
  /** Machines outside the cluster that may reach its nodes, in the order to try them. */
  clients: Client[];
}

export interface Client {
  name: string;
  /** Runs a bash script there. @throws where it fails */
  run(script: string, signal: AbortSignal): Promise<string>;
}

export interface TransportOptions {
  /** File of the kubeconfig. */
  kubeconfig: string;
  /** What comes before every command on this machine, such as the way into a network namespace. @default nothing */
  prefix?: readonly string[];
  env?: Record<string, string>;
}

/** OpenSSH and kubectl of this machine; host keys as the plan pins them, keys from the ssh-agent. */
export function sshTransport(
  plan: ClusterPlan,
  { kubeconfig, prefix = [], env = {} }: TransportOptions,
): Transport & { close(): Promise<void> } {
  const run = (command: readonly string[], options: ProcessOptions = {}) =>
    output([...prefix, ...command], { ...options, env: { ...env, ...options.env } });
  const nodes = connections(plan, run);
  const closing = new AbortController();
  const kubectl = kubectlOf(kubeconfig, (command, options) =>
    run(command, { signal: closing.signal, ...options }),
  );
  // It is reached as itself, not through itself.
  const bastion =
    plan.bastion && machineReach({ dial: plan.dial }, { name: "bastion", reach: plan.bastion });
  return {
    onNode: async (name, script, signal) => {
      const { sshArguments, asRoot } = await nodes.to(name);
      return run(["ssh", ...sshArguments, asRoot("bash -s")], { signal, input: script });
    },
    follow: async (name, script, signal, onLine) => {
      const { sshArguments, asRoot } = await nodes.to(name);
      // The end of its input is how the node learns that nobody follows any more.
      const options = { signal, onLine, input: untilInputEnds(script), holdsInput: true };
      await run(["ssh", ...sshArguments, asRoot("bash -s")], options);
    },
    kubectl: (args, signal, input) =>
      kubectl(args, { signal, ...(input === undefined ? {} : { input }) }),
    clients: [
      {
        name: "this machine",
        run: (script, signal) => run(["bash", "-s"], { signal, input: script }),
      },
      ...(bastion
        ? [
            {
              name: "the bastion",
              run: (script: string, signal: AbortSignal) =>
                run(["ssh", ...bastion.sshArguments, "bash -s"], { signal, input: script }),
            },
          ]
        : []),
    ],
    close: () => {
      closing.abort();
      return nodes.close();
    },
  };
}

/**
 * A script that runs until it ends, or standard input does; nothing of it continues then.
 *
 * @param limit how long it runs at most, for `timeout`: the end of a connection that was lost may never come
 */
export function untilInputEnds(script: string, limit = "4h"): string {
  return `set -m
follow() {
${script}
}
run() {
  exec 3<&0
  follow </dev/null 3<&- & local job=$!
  { timeout --foreground ${limit} cat <&3 >/dev/null; kill -- -"$job"; } 2>/dev/null & local watcher=$!
  wait "$job" && local status=0 || local status=$?
  kill -- -"$watcher" 2>/dev/null
  exit "$status"
}
run
`;
}
