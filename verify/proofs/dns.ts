import { onEveryNode } from "../cluster.ts";
import { probes } from "../probe/pods.ts";
import { clusterDns, questions } from "../probe/questions.ts";
import { fail, type Proof, pass } from "../proof.ts";

/** The value below which this share of the sorted values lies: nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const dnsProof: Proof = {
  promise: "DNS answers every pod fast",
  proof:
    "verify.dnsQueries questions for kubernetes.default from a pod on each node, through the DNS service; bound of the 99th percentile: verify.dnsP99Milliseconds; a lost answer fails",
  fix: "`kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide`; cilium.nodeLocalDns answers from the pod's own node",
  limitSeconds: 110,
  async prove(cluster) {
    const { dnsQueries, dnsP99Milliseconds } = cluster.config.verify;
    await probes(cluster);
    const server = await clusterDns(cluster);
    const answers = await onEveryNode(cluster, questions({ server, count: dnsQueries }));
    const byNode = answers.map(({ node, output }) => {
      const lines = output.split("\n");
      const times = lines.filter((line) => line !== "lost").map(Number);
      return { node, times, lost: lines.length - times.length };
    });
    const lost = byNode.filter((one) => one.lost > 0 || one.times.length === 0);
    if (lost.length > 0) {
      return fail(
        lost
          .map(({ node, lost, times }) => `${node}: ${lost} of ${lost + times.length} lost`)
          .join("; "),
      );
    }
    const times = byNode.flatMap((one) => one.times);
    const at = (share: number) => percentile(times, share).toFixed(2);
    const slowest = byNode.toSorted(
      (a, b) => percentile(b.times, 0.99) - percentile(a.times, 0.99),
    )[0];
    const reading = `${times.length} answers of ${server}: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms; slowest node ${slowest?.node}, p99 ${percentile(slowest?.times ?? [], 0.99).toFixed(2)} ms`;
    if (percentile(times, 0.99) <= dnsP99Milliseconds) return pass(reading);
    return fail(
      `${reading}: above ${dnsP99Milliseconds} ms; NodeLocal DNSCache is recommended (answers from the pod's own node)`,
    );
  },
};
