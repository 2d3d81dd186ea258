import type { NodeObject } from "../../verify/cluster.ts";

/** What one node says of itself: node.sh prints it. */
export interface NodeAnswer {
  /** Hash of what each step has applied last. */
  steps: Map<string, string>;
  certificates: { path: string; expires: Date }[];
  /** When the last backup succeeded; undefined where the node makes none. */
  backup?: { lastSuccess?: number; error?: string | null };
  /** The cluster of a control plane's member of etcd; 0 where that does not answer, `lost` where its data are gone. */
  etcd?: string;
  nodes?: NodeObject[];
  cilium?: Record<string, string>;
}

export function readAnswer(text: string): NodeAnswer {
  const answer: NodeAnswer = { steps: new Map(), certificates: [] };
  for (const line of text.split("\n")) {
    const [, what, rest = ""] = line.match(/^(\w+) (.*)$/) ?? [];
    const [first = "", second = ""] = rest.split(" ");
    if (what === "step") answer.steps.set(first, second);
    else if (what === "expires")
      answer.certificates.push({ path: second, expires: new Date(Number(first) * 1000) });
    else if (what === "backup") answer.backup = JSON.parse(rest);
    else if (what === "etcd") answer.etcd = rest;
    else if (what === "nodes") answer.nodes = JSON.parse(rest).items;
    else if (what === "cilium") answer.cilium = JSON.parse(rest).data;
  }
  return answer;
}
