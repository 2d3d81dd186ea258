import { type Cluster, onEveryNode } from "../cluster.ts";
import { workDirectory } from "../probe/namespace.ts";
import { type Probe, ports, probes } from "../probe/pods.ts";
import { expectNothing, notProved, type Proof } from "../proof.ts";

/** Headers of an echo request in bytes, IPv4 or IPv6 and ICMP. */
const headers = (address: string) => (address.includes(":") ? 48 : 28);

/** Asks every peer's pod from this node's pod; prints who did not answer, and what. */
function script(cluster: Cluster, all: readonly Probe[], node: string): string {
  const { mtu } = cluster.config.network;
  const targets = all
    .filter((probe) => probe.node !== node)
    .flatMap((probe) =>
      probe.addresses.map((address) => `${probe.node} ${address} ${mtu - headers(address)}`),
    );
  return `one() {
  netns=$1 node=$2 address=$3 size=$4
  ask() { nsenter --net="$netns" -- ping -n -q "$@" "$address" >/dev/null 2>&1; }
  # A first packet may be lost to neighbour discovery.
  ask -c 1 -W 1 -M "do" -s "$size" || ask -c 3 -i 0.2 -W 2 -w 4 -M "do" -s "$size" || {
    if ask -c 2 -i 0.2 -W 2; then
      echo "$node $address: only packets below ${mtu} bytes pass"
    else
      echo "$node $address: no answer to ping"
    fi
  }
  nsenter --net="$netns" -- timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/${ports.tcp}" && read -r line <&3 && [ "$line" ]' "$address" 2>/dev/null ||
    echo "$node $address: no answer to TCP"
}
export -f one
xargs -r -P 8 -L 1 bash -c 'one "$@"' one "$(cat ${workDirectory}/netns)" <<'TARGETS'
${targets.join("\n")}
TARGETS
true`;
}

export const podTrafficProof: Proof = {
  promise: "Every pod reaches pods on every other node, IPv4 and IPv6, with whole packets",
  proof:
    "from a pod on each node to a pod on each other: pings of network.mtu bytes that may not be fragmented, and a TCP exchange, per family",
  fix: "`oslo-cluster debug STACK drops` shows what the agents drop; what is missing there is lost on the VLAN",
  limitSeconds: 110,
  async prove(cluster) {
    const { length } = cluster.nodes;
    if (length < 2) return notProved("the cluster has one node");
    const all = await probes(cluster);
    const families = cluster.config.network.podSubnets.length;
    const short = all.filter(({ addresses }) => addresses.length !== families);
    const answers = await onEveryNode(cluster, (node) => script(cluster, all, node));
    const found = answers
      .filter(({ output }) => output !== "")
      .flatMap(({ node, output }) => output.split("\n").map((line) => `${node} → ${line}`));
    found.push(...short.map(({ node }) => `${node}: its pod has not ${families} addresses`));
    return expectNothing(
      found,
      `${length * (length - 1) * families} paths of ${cluster.config.network.mtu} bytes, TCP on each`,
    );
  },
};
