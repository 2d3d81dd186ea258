import { agentFunction, grouped, onEveryNode } from "../cluster.ts";
import { fail, notEnabled, type Proof, pass } from "../proof.ts";

export const bandwidthProof: Proof = {
  promise: "Pods are paced by the bandwidth manager, with BBR where that was asked for",
  proof:
    "BandwidthManager in cilium-dbg status of every node: an agent whose kernel refuses continues without it and says so there alone",
  fix: "`pulumi up`; then restart the agents that still have the old settings: `kubectl -n kube-system rollout restart daemonset cilium`",
  async prove(cluster) {
    const { enabled, bbr } = cluster.config.cilium.bandwidthManager;
    if (!enabled) return notEnabled("cilium.bandwidthManager.enabled is false");
    const answers = await onEveryNode(
      cluster,
      `${agentFunction}agent cilium-dbg status --verbose | sed -n 's/^BandwidthManager: *//p'`,
    );
    const wanted = bbr ? /^EDT with BPF\s+\[BBR\]/ : /^EDT with BPF\s+\[CUBIC\]/;
    const wrong = answers.filter(({ output }) => !wanted.test(output));
    return wrong.length === 0 ? pass(grouped(answers)) : fail(grouped(wrong));
  },
};
