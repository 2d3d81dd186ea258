import { readFileSync } from "node:fs";
import { hostPort } from "../config/cidr.ts";
import type { Config } from "../config/config.ts";
import { apiBalancerAddress, apiBalancerPort } from "../config/ports.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import {
  askEach,
  bind,
  type Cluster,
  containersFunction,
  controlPlanes,
  type NodeObject,
  reasonOf,
} from "./cluster.ts";
import { Answers, kinds } from "./failover/gaps.ts";
import { namespace, namespaceObject, removeLeftovers } from "./probe/namespace.ts";
import { deadline, pause } from "./time.ts";
import type { Transport } from "./transport.ts";

/** What is cut of a control plane. */
export const cuts = {
  api: "its API server hangs",
  network: "its API server and its etcd are cut off",
} as const;
export type Cut = keyof typeof cuts;

/** What one cut did. */
export interface Loss {
  controlPlane: string;
  cut: Cut;
  /** By node the longest time without an answer, in seconds; null where none was answered at all. */
  gaps: Record<string, Record<(typeof kinds)[number], number | null>>;
  /** Nodes that were not Ready afterwards. */
  notReady: string[];
}

/** Every node's balancer answers again within so many seconds. */
export const boundSeconds = 6;
/** Seconds that a cut lasts, that the node's own timer takes it back after, and that what is cut may take to be back. */
export const times = { cut: 15, timer: 40, back: 180, begin: 60 };

const script = (name: string) =>
  readFileSync(new URL(`failover/${name}.sh`, import.meta.url), "utf8");
const account = "failover";

/**
 * Cuts one control plane after the other, and measures on every node what clients of its balancer lose.
 * Each cut is taken back: here, also after an interruption, and by a timer on the node.
 * @param onLoss Gets each as soon as it is known.
 * @throws Error where the cluster is not whole before a cut, or does not become whole after it.
 */
export async function failover(
  config: Config,
  plan: ClusterPlan,
  transport: Transport,
  { signal, onLoss }: { signal: AbortSignal; onLoss?: (loss: Loss) => void },
): Promise<Loss[]> {
  const cluster = bind(config, plan, transport, signal)(signal);
  const planes = controlPlanes({ plan });
  await whole(cluster, planes);
  const losses: Loss[] = [];
  try {
    const token = await makeAccount(cluster);
    for (const controlPlane of planes) {
      for (const cut of Object.keys(cuts) as Cut[]) {
        const loss = await lose(cluster, transport, { controlPlane, cut, token, planes });
        losses.push(loss);
        onLoss?.(loss);
      }
    }
  } finally {
    const end = deadline(90);
    await removeLeftovers(bind(config, plan, transport, end)(end)).catch((error) => {
      console.error(`verify's own namespace was not removed: ${reasonOf(error)}`);
    });
  }
  return losses;
}

/** A cluster that lacks something already would lose its quorum. @throws Error that says what it lacks */
async function whole(cluster: Cluster, planes: readonly string[]): Promise<void> {
  const lacking: string[] = [];
  const nodes = (
    JSON.parse(await cluster.kubectl("get", "nodes", "-o", "json")) as {
      items: NodeObject[];
    }
  ).items;
  for (const name of cluster.nodes) {
    const node = nodes.find(({ metadata }) => metadata.name === name);
    const ready = node?.status.conditions.find(({ type }) => type === "Ready")?.status;
    if (ready !== "True") lacking.push(`${name} is not Ready`);
  }
  const answers = await askEach(planes, (plane) => cluster.onNode(plane, health(cluster, plane)));
  for (const one of answers) {
    const says = "problem" in one ? one.problem : one.answer;
    if (says !== "ok") lacking.push(`${one.of}: ${says}`);
  }
  if (lacking.length > 0) throw new Error(`the cluster is not whole: ${lacking.join("; ")}`);
}

/** Ready itself, a voter that has a leader, and no member that learns. */
function health({ config, plan }: Cluster, name: string): string {
  const node = plan.nodes.find((one) => one.name === name);
  const url = `https://${hostPort(node?.addresses[0] ?? "", config.cluster.endpoint.port)}/readyz`;
  return `library=/usr/local/lib/oslo-cluster
source $library/lib.sh; source $library/etcd.sh
ready=$(curl --silent --show-error --max-time 5 --cacert /etc/kubernetes/pki/ca.crt ${url} 2>&1 | head -c 200)
[ "$ready" = ok ] || { echo "its API server is not ready: $ready"; exit; }
members=$(etcd_members 2>&1) || { echo "its etcd does not answer"; exit; }
case $members in *learner*) echo "a member of etcd is joining"; exit ;; esac
[ "$(wc -l <<<"$members")" = ${controlPlanes({ plan }).length} ] || { echo "etcd has $(wc -l <<<"$members") members"; exit; }
echo ok`;
}

/** Somebody who may read and change one ConfigMap for each node, and nothing else. @returns a token of an hour */
async function makeAccount(cluster: Cluster): Promise<string> {
  const metadata = { name: account, namespace };
  await cluster.apply([namespaceObject]);
  await cluster.apply([
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata },
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "patch"] }],
    },
    {
      ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account },
      subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    },
    ...cluster.nodes.map((name) => ({
      ...{ apiVersion: "v1", kind: "ConfigMap" },
      metadata: { name: `${account}-${name}`, namespace },
    })),
  ]);
  const words = ["create", "token", account, "--namespace", namespace, "--duration", "1h"];
  return (await cluster.kubectl(...words)).trim();
}

interface Cutting {
  controlPlane: string;
  cut: Cut;
  token: string;
  planes: readonly string[];
}

async function lose(
  cluster: Cluster,
  transport: Transport,
  { controlPlane, cut, token, planes }: Cutting,
): Promise<Loss> {
  const { signal } = cluster;
  await becomeWhole(cluster, planes);
  const answers = new Map(cluster.nodes.map((name) => [name, new Answers()]));
  const measured = new AbortController();
  const asking = AbortSignal.any([signal, measured.signal]);
  const ended = Promise.allSettled(
    cluster.nodes.map((name) =>
      transport.follow(name, probe(cluster, name, token), asking, (line) =>
        answers.get(name)?.add(line),
      ),
    ),
  );
  try {
    await begun(answers, signal);
    try {
      await cluster.onNode(controlPlane, cutting(cluster, cut, "cut"));
      await pause(times.cut, signal);
    } finally {
      // Also where this was interrupted: then there is no signal to obey.
      await transport.onNode(controlPlane, cutting(cluster, cut, "back"), deadline(times.timer));
    }
    await becomeWhole(cluster, planes).catch(() => {}); // whoever does not come back is said below
  } finally {
    measured.abort();
    await ended;
  }
  const gaps = Object.fromEntries(
    [...answers].map(([name, of]) => [
      name,
      { read: of.longest("read") ?? null, write: of.longest("write") ?? null },
    ]),
  );
  return { controlPlane, cut, gaps, notReady: await notReady(cluster) };
}

function probe({ config }: Cluster, name: string, token: string): string {
  const balancer = hostPort(apiBalancerAddress(config), apiBalancerPort);
  return `URL=https://${balancer}/api/v1/namespaces/${namespace}/configmaps/${account}-${name}
TOKEN=${token}
${script("probe")}`;
}

function cutting({ config }: Cluster, cut: Cut, what: "cut" | "back"): string {
  return `WHAT=${cut} DO=${what} SECONDS_LIMIT=${times.timer} PORTS='${config.cluster.endpoint.port}, 2379, 2380'
${containersFunction}
${script("cut")}`;
}

/** @throws Error that names the nodes whose balancers answer nobody before anything is cut */
async function begun(answers: ReadonlyMap<string, Answers>, signal: AbortSignal): Promise<void> {
  const over = deadline(times.begin, signal);
  const silent = () => [...answers].filter(([, one]) => !one.began).map(([name]) => name);
  while (silent().length > 0) {
    if (over.aborted) {
      signal.throwIfAborted();
      throw new Error(
        `no answer through the balancer of ${silent().join(", ")}, and nothing was cut`,
      );
    }
    await pause(0.2, signal);
  }
}

async function becomeWhole(cluster: Cluster, planes: readonly string[]): Promise<void> {
  const over = deadline(times.back, cluster.signal);
  for (;;) {
    try {
      return await whole(cluster, planes);
    } catch (error) {
      if (over.aborted) throw error;
      await pause(2, cluster.signal);
    }
  }
}

async function notReady(cluster: Cluster): Promise<string[]> {
  try {
    await whole(cluster, []);
    return [];
  } catch (error) {
    return [reasonOf(error)];
  }
}

/** 3 where a bound was broken or something did not come back, 4 where a node could not be asked. */
export function exitCodeOf(losses: readonly Loss[]): 0 | 3 | 4 {
  const all = losses.flatMap(({ gaps }) =>
    Object.values(gaps).flatMap((one) => Object.values(one)),
  );
  if (losses.some((loss) => loss.notReady.length > 0)) return 3;
  if (all.some((gap) => gap !== null && gap > boundSeconds)) return 3;
  return all.length === 0 || all.includes(null) ? 4 : 0;
}

/** A line for each cut: the longest times without an answer, and on which node. */
export function formatLoss({ controlPlane, cut, gaps, notReady }: Loss): string {
  const longest = kinds.map((kind) => {
    const rows = Object.entries(gaps).map(([node, of]) => ({ node, gap: of[kind] }));
    const unasked = rows.filter(({ gap }) => gap === null).map(({ node }) => node);
    if (unasked.length > 0) return `${kind}s not measured on ${unasked.join(", ")}`;
    const worst = rows.reduce((a, b) => ((b.gap ?? 0) > (a.gap ?? 0) ? b : a));
    return `${kind}s ${(worst.gap ?? 0).toFixed(1)} s (${worst.node})`;
  });
  const isGood = exitCodeOf([{ controlPlane, cut, gaps, notReady }]) === 0;
  const more = notReady.length > 0 ? `; ${notReady.join("; ")}` : "";
  return `${isGood ? "✓" : "✗"} ${controlPlane}: ${cuts[cut]}: without an answer at most ${longest.join(", ")}${more}`;
}
