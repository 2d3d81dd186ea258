import type { NodeObject } from "../../verify/cluster.ts";

/** What one node says of itself: node.sh prints it. */
export interface NodeAnswer {
  /** Hash of what each step has applied last. */
  steps?: Map<string, string>;
  certificates?: { path: string; expires: Date }[];
  /** When the last backup succeeded; undefined where the node makes none. */
  backup?: { lastSuccess?: number; error?: string | null };
  /** The cluster of a control plane's member of etcd; 0 where that does not answer, `lost` where its data are gone. */
  etcd?: string;
  nodes?: NodeObject[];
  cilium?: Record<string, string>;
  /** The time was over before it had said all. */
  isCut?: boolean;
}

export function readAnswer(lines: readonly string[]): NodeAnswer {
  const answer: NodeAnswer = {};
  for (const line of lines) {
    const [, what, rest = ""] = line.match(/^(\w+) ?(.*)$/) ?? [];
    if (what === "steps") answer.steps = new Map(pairs(rest));
    else if (what === "certificates")
      answer.certificates = pairs(rest).map(([seconds, path]) => ({
        path,
        expires: new Date(Number(seconds) * 1000),
      }));
    else if (what === "backup") answer.backup = JSON.parse(rest);
    else if (what === "etcd") answer.etcd = rest;
    else if (what === "nodes") answer.nodes = JSON.parse(rest).items;
    else if (what === "cilium") answer.cilium = JSON.parse(rest).data;
  }
  return answer;
}

/** `NAME=VALUE NAME=VALUE` */
function pairs(text: string): [string, string][] {
  return text.split(" ").flatMap((pair) => {
    const [name = "", value] = pair.split("=");
    return value === undefined ? [] : [[name, value]];
  });
}
