import { containersFunction, onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** Chains of kube-proxy in its modes iptables and ipvs, and its table in the mode nftables. */
const script = `${containersFunction}
for list in iptables-save iptables-legacy-save ip6tables-save ip6tables-legacy-save 'nft list ruleset'; do
  command -v "\${list%% *}" >/dev/null || continue
  count=$($list 2>/dev/null | grep -cE 'KUBE-(SVC|SEP|SERVICES|NODEPORTS|EXTERNAL-SERVICES|NODE-PORT|LOAD-BALANCER)|table ip6? kube-proxy' || true)
  [ "$count" = 0 ] || echo "$count in $list"
done
command -v nft >/dev/null || echo 'nft is not installed, so nftables was not asked'
running=$(system_containers kube-proxy) || exit 1
[ -z "$running" ] || echo 'a container kube-proxy runs'`;

export const kubeProxyProof: Proof = {
  promise: "No kube-proxy, and none of its rules",
  proof:
    "no DaemonSet and no container kube-proxy; on every node none of its chains in iptables-save, ip6tables-save and nft list ruleset",
  fix: "something installed it beside the stack: delete its DaemonSet and restart the node that is named",
  async prove(cluster) {
    const daemonSets = await cluster.kubectl(
      ...["get", "daemonsets", "--all-namespaces", "-o", "name"],
    );
    const answers = await onEveryNode(cluster, script);
    const found = answers
      .filter(({ output }) => output !== "")
      .map(({ node, output }) => `${node}: ${output.replaceAll("\n", ", ")}`);
    if (daemonSets.includes("kube-proxy")) found.push("the DaemonSet kube-proxy exists");
    return expectNothing(found, `no DaemonSet; 0 rules on ${answers.length} nodes`);
  },
};
