import { readFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import { limit } from "../steps/ssh/limit.ts";
import type { Client, Transport } from "./transport.ts";

/** What a proof may ask. */
export interface Cluster {
  config: Config;
  plan: ClusterPlan;
  /** Names of the nodes. */
  nodes: string[];
  /** Runs a bash script as root on a node; answers its output, trimmed. @throws where it fails */
  onNode(node: string, script: string): Promise<string>;
  /** Runs kubectl; answers its output. @throws where it fails */
  kubectl(...args: string[]): Promise<string>;
  /** Applies manifests. */
  apply(manifests: readonly unknown[]): Promise<void>;
  clients: Client[];
  signal: AbortSignal;
  /** What several proofs share is made once, and outlives the proof that asked first. */
  once<T>(name: string, make: (cluster: Cluster) => Promise<T>): Promise<T>;
  /** Who was asked and has not answered yet, each once: nodes, the API server, clients outside the cluster. */
  waitsFor(): string[];
}

/** sshd answers ten connections that have not logged in yet (MaxStartups); half of them are ours. */
const sessionsPerNode = 5;
/** Each takes a processor of this machine for a moment. */
const kubectls = 4;
/** A client may be the bastion, whose sshd has a limit as well. */
const clientSessions = 8;

/**
 * Binds a transport to a stack, with bounded parallelism.
 * @returns a function that gives a proof its cluster, which works until the signal; signals take turns.
 */
export function bind(
  config: Config,
  plan: ClusterPlan,
  transport: Transport,
  whole: AbortSignal,
): (signal: AbortSignal) => Cluster {
  const inAll = limit(config.verify.parallelism);
  const perNode = new Map(plan.nodes.map(({ name }) => [name, limit(sessionsPerNode)]));
  const api = limit(kubectls);
  const outside = limit(clientSessions);
  const shared = new Map<string, { cluster: Cluster; made: Promise<unknown> }>();

  const clusterUntil = (signal: AbortSignal): Cluster => {
    const pending = new Set<() => string[]>();
    const waiting = <T>(answer: Promise<T>, who: () => string[]): Promise<T> => {
      pending.add(who);
      return answer.finally(() => pending.delete(who));
    };
    const kubectl = (args: readonly string[], input?: string) =>
      waiting(
        api(async () => {
          signal.throwIfAborted();
          return transport.kubectl(args, signal, input);
        }, signal),
        () => ["the API server"],
      );
    return {
      config,
      plan,
      signal,
      nodes: plan.nodes.map(({ name }) => name),
      clients: transport.clients.map(({ name, run }) => ({
        name,
        run: (script, until) =>
          waiting(
            outside(() => run(script, until), until),
            () => [name],
          ),
      })),
      onNode: async (node, script) => {
        const own = perNode.get(node);
        if (own === undefined) throw new Error(`no node ${node}`);
        const ask = async () => {
          signal.throwIfAborted();
          return (await transport.onNode(node, script, signal)).trim();
        };
        return waiting(
          own(() => inAll(ask, signal), signal),
          () => [node],
        );
      },
      kubectl: (...args) => kubectl(args),
      apply: async (manifests) => {
        const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
        await kubectl(["apply", "--server-side", "-f", "-"], list);
      },
      once: <T>(name: string, make: (cluster: Cluster) => Promise<T>) => {
        let known = shared.get(name);
        if (known === undefined) {
          const cluster = clusterUntil(whole);
          known = { cluster, made: make(cluster) };
          shared.set(name, known);
        }
        const { cluster, made } = known;
        const answer = waiting(made as Promise<T>, cluster.waitsFor);
        answer.catch(() => {}); // whoever waits for it gets the error
        return answer;
      },
      waitsFor: () => [...new Set([...pending].flatMap((who) => who()))],
    };
  };
  return clusterUntil;
}

/** Names of the control planes. */
export function controlPlanes({ plan }: Pick<Cluster, "plan">): string[] {
  return plan.nodes.filter(({ role }) => role === "control-plane").map(({ name }) => name);
}

export type Answer<T, A> = { of: T; answer: A } | { of: T; problem: string };

/** Asks several side by side: what each answers, or why it does not, in their order. */
export function askEach<T, A>(
  asked: readonly T[],
  ask: (one: T) => Promise<A>,
): Promise<Answer<T, A>[]> {
  return Promise.all(
    asked.map((of) =>
      ask(of).then(
        (answer) => ({ of, answer }),
        (error) => ({ of, problem: reasonOf(error) }),
      ),
    ),
  );
}

/** Those that answered, and those that did not. */
export function split<T, A>(answers: readonly Answer<T, A>[]) {
  return {
    answered: answers.filter((one) => "answer" in one),
    silent: answers.filter((one) => "problem" in one),
  };
}

/** Asks every node, side by side. @throws where one does not answer, naming all that did not */
export async function onEveryNode(
  cluster: Cluster,
  script: string | ((node: string) => string),
): Promise<{ node: string; output: string }[]> {
  const { answered, silent } = split(
    await askEach(cluster.nodes, (node) =>
      cluster.onNode(node, typeof script === "string" ? script : script(node)),
    ),
  );
  if (silent.length > 0)
    throw new Error(silent.map(({ of, problem }) => `${of}: ${problem}`).join("; "));
  return answered.map(({ of, answer }) => ({ node: of, output: answer }));
}

/** Nodes with one reading are listed together: `cp-1, worker-1: 12 hold`. */
export function grouped(rows: readonly { node: string; output: string }[]): string {
  const outputs = [...new Set(rows.map(({ output }) => output))];
  return outputs
    .map((output) => {
      const same = rows.filter((row) => row.output === output);
      const names =
        same.length > 4 ? `${same.length} nodes` : same.map(({ node }) => node).join(", ");
      return `${names}: ${output}`;
    })
    .join("; ");
}

/** A line of kubectl's own log: its time makes each one different, and its error follows. */
const logLine = /^[EFIW]\d{4} \d\d:\d\d:\d\d\.\d+ .*(\n|$)/gm;

export function reasonOf(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  return reason.message.replace(logLine, "").trim() || reason.message.trim();
}

/** Shell function `system_containers NAME`: see the file. */
export const containersFunction = readFileSync(
  new URL("../steps/containers.sh", import.meta.url),
  "utf8",
);

/**
 * Shell function: runs a command in the container of the node's Cilium agent, as the runtime does it: with
 * that container's own rights. Standard input is the script's, so the command has none. What ctr has to
 * say of the node's cgroups is no part of a reading.
 */
export const agentFunction = `export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=1
${containersFunction}
agent() {
  local id
  id=$(system_containers cilium-agent | head -n 1)
  [ -n "$id" ] || { echo 'no cilium-agent of kube-system runs here' >&2; return 1; }
  ctr --namespace k8s.io tasks exec --exec-id "oslo-verify-$$-$RANDOM$RANDOM" "$id" "$@" </dev/null
}
`;

export interface NodeObject {
  metadata: { name: string; labels?: Record<string, string> };
  spec: { podCIDRs?: string[] };
  status: {
    nodeInfo: { kubeletVersion: string; containerRuntimeVersion: string };
    conditions: { type: string; status: string; reason?: string; message?: string }[];
  };
}

/** The cluster's own list of its nodes. */
export async function nodeObjects(cluster: Cluster): Promise<NodeObject[]> {
  return cluster.once("nodes", async ({ kubectl }) => {
    return (JSON.parse(await kubectl("get", "nodes", "-o", "json")) as { items: NodeObject[] })
      .items;
  });
}
