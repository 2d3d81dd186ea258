import type { Config } from "../../config/config.ts";
import { loadConfig } from "../../config/load.ts";
import type { ConfigInput } from "../../config/schema.ts";
import { type ClusterPlan, plan } from "../../plan/plan.ts";
import type { Transport } from "../../verify/transport.ts";
import { hostKey } from "../host-key.ts";
import { type Answers, healthy } from "./healthy.ts";

/** A cluster that exists in answers alone. */
export interface Simulated {
  config: Config;
  plan: ClusterPlan;
  transport: Transport;
  /** How many conversations there were, and how many at most at one time. */
  load: { total: number; most: number; mostOnOneNode: number; kubectl: number };
  /** Every script and every kubectl call, in their order. */
  asked: string[];
}

export interface SimulatedOptions {
  nodes?: number;
  vary?: (config: ConfigInput) => void;
  /** Answers that differ from a healthy cluster's. */
  sick?: Answers;
  /** Seconds that take the first session to a machine, a further one, and a call of kubectl, beside the work done in it. */
  seconds?: { connection: number; session: number; kubectl: number };
}

const publicPool = {
  name: "public",
  blocks: [{ start: "10.10.9.1", stop: "10.10.9.9" }, { cidr: "fd00:10:10::900/120" }],
};

/** A dual-stack cluster of so many nodes, as its stack's file would describe it. */
export function stackOf(nodes: number): ConfigInput {
  return {
    cluster: { name: "simulated", endpoint: { virtualAddress: { address: "10.10.0.250" } } },
    network: { vlan: { subnets: ["10.10.0.0/16", "fd00:10:10::/64"] } },
    nodes: {
      existing: Array.from({ length: nodes }, (_, i) => ({
        name: `node-${i}`,
        role: i === 0 ? ("control-plane" as const) : ("worker" as const),
        addresses: [`10.10.1.${i + 1}`, `fd00:10:10::${(i + 1).toString(16)}`],
        ssh: { hostKey: hostKey(i) },
      })),
    },
    kubernetes: {},
    cilium: {
      loadBalancerIPPools: [publicPool],
      l2announcements: { enabled: true },
      nodeLocalDns: { enabled: true },
      bgpControlPlane: {
        enabled: true,
        localASN: 64_512,
        peers: [
          { name: "router-1", peerASN: 64_500, peerAddress: "10.10.0.1" },
          { name: "router-2", peerASN: 64_500, peerAddress: "fd00:10:10::ff" },
        ],
        advertisements: [{ advertisementType: "PodCIDR" }, { advertisementType: "Service" }],
      },
    },
    gatewayApi: {
      routes: [
        {
          name: "shop",
          namespace: "shop",
          pathPrefix: "/",
          backends: [{ name: "shop", port: 80, weight: 100 }],
        },
      ],
    },
    backup: {
      recipients: ["age13arftdf9ejnqsygnzlpdevqgzwf2ky55ga69t7e4sxftfka4qadsxtqgax"],
      targets: [
        {
          ...{ name: "vault", region: "NO-OSL-2" },
          s3: { endpoint: "https://s3.example.no", bucket: "copies" },
        },
      ],
      rehearsal: {
        signers: [
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHGySWDYdLCz3gUPGRs2XcAkJBh3ikV2FXWJ0oXLcHHu",
        ],
      },
    },
    verify: { nixAddress: "193.156.90.1" },
  };
}

export function simulated({
  nodes = 3,
  vary = () => {},
  sick = [],
  seconds,
}: SimulatedOptions = {}): Simulated {
  const { config, clusterPlan } = planned(nodes, vary);
  const answers = [...sick, ...healthy(config, clusterPlan)];
  const load = { total: 0, most: 0, mostOnOneNode: 0, kubectl: 0 };
  const asked: string[] = [];
  const open = new Map<string, number>();

  const connected = new Set<string>();
  const takes = (
    { connection, session, kubectl }: Required<SimulatedOptions>["seconds"],
    where: string,
  ) => {
    if (where === "kubectl") return kubectl;
    const isFirst = !connected.has(where);
    connected.add(where);
    return isFirst ? connection : session;
  };
  const converse = async (where: string, question: string, signal: AbortSignal) => {
    const here = (open.get(where) ?? 0) + 1;
    open.set(where, here);
    asked.push(question);
    load.total++;
    if (where === "kubectl") load.kubectl = Math.max(load.kubectl, here);
    else load.mostOnOneNode = Math.max(load.mostOnOneNode, here);
    const all = [...open].filter(([name]) => name !== "kubectl").map(([, count]) => count);
    load.most = Math.max(
      load.most,
      all.reduce((sum, count) => sum + count, 0),
    );
    try {
      const answer = answers.find(([part]) => question.includes(part));
      if (answer === undefined) throw new Error(`nobody knows an answer to: ${question}`);
      const [, output, work = 0] = answer;
      if (seconds) await passed((takes(seconds, where) + work) * 1000, signal);
      const text = typeof output === "function" ? output(where, question) : output;
      if (text instanceof Error) throw text;
      return text;
    } finally {
      open.set(where, (open.get(where) ?? 1) - 1);
    }
  };
  return {
    config,
    plan: clusterPlan,
    load,
    asked,
    transport: {
      onNode: (node, script, signal) => converse(node, script, signal),
      follow: () => Promise.reject(new Error("verify follows nothing")),
      kubectl: (args, signal, input = "") =>
        converse("kubectl", `kubectl ${args.join(" ")} ${input}`, signal),
      clients: [
        {
          name: "a client",
          run: (script, signal) => converse("client", `client ${script}`, signal),
        },
      ],
    },
  };
}

const plans = new Map<string, { config: Config; clusterPlan: ClusterPlan }>();

/** Each stack is planned once: the CRDs are long, and the paths between a hundred nodes many. */
function planned(nodes: number, vary: (config: ConfigInput) => void) {
  const input = stackOf(nodes);
  vary(input);
  const key = JSON.stringify(input);
  const known = plans.get(key);
  if (known !== undefined) return known;
  const config = loadConfig({ ...input }, "Pulumi.simulated.yaml");
  const made = { config, clusterPlan: plan(config) };
  plans.set(key, made);
  return made;
}

function passed(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(new Error("aborted"));
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    setTimeout(resolve, milliseconds);
  });
}
