import type { Config } from "../../config/config.ts";
import type { LoadBalancerMode } from "../../plan/cilium.ts";
import { agentFunction, onEveryNode } from "../cluster.ts";
import { loadBalancerMode } from "../load-balancer.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** What each agent must say of itself. Its words for XDP echo the configuration: see xdp.ts. */
export function wantedModes(
  { cilium }: Config,
  mode: LoadBalancerMode,
): { what: string; pattern: RegExp }[] {
  const { dsrDispatch } = cilium.loadBalancer;
  const name = { dsr: "DSR", hybrid: "Hybrid", snat: "SNAT" }[mode];
  const dispatch = { opt: "IP Option/Extension", ipip: "IPIP" }[dsrDispatch];
  return [
    { what: "KubeProxyReplacement: True", pattern: /^KubeProxyReplacement:\s+True\b/m },
    {
      what: "Routing: Network Native, Host BPF",
      pattern: /^Routing:\s+Network: Native\s+Host: BPF/m,
    },
    { what: "Masquerading: BPF", pattern: /^Masquerading:\s+BPF/m },
    { what: `Mode: ${name}`, pattern: new RegExp(`^\\s+Mode:\\s+${name}\\s*$`, "mi") },
    ...(mode === "snat"
      ? []
      : [
          {
            what: `DSR Dispatch Mode: ${dispatch}`,
            pattern: new RegExp(`DSR Dispatch Mode:\\s+${dispatch}`),
          },
        ]),
  ];
}

export const modesProof: Proof = {
  promise: "Every agent runs in the modes that were asked for",
  proof: "cilium-dbg status --verbose in the agent of every node",
  fix: "`pulumi up`; then restart the agents that still have the old settings: `kubectl -n kube-system rollout restart daemonset cilium`",
  async prove(cluster) {
    const wanted = wantedModes(cluster.config, await loadBalancerMode(cluster));
    const answers = await onEveryNode(cluster, `${agentFunction}agent cilium-dbg status --verbose`);
    const found = answers.flatMap(({ node, output }) =>
      wanted
        .filter(({ pattern }) => !pattern.test(output))
        .map(({ what }) => `${node}: not ${what}`),
    );
    return expectNothing(
      found,
      `${answers.length} agents: ${wanted.map(({ what }) => what).join("; ")}`,
    );
  },
};
