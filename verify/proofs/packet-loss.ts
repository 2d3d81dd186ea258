import { type Cluster, onEveryNode } from "../cluster.ts";
import { workDirectory } from "../probe/namespace.ts";
import { peerOf, probeOn, probes } from "../probe/pods.ts";
import { expectNothing, notProved, type Proof } from "../proof.ts";

const packets = 200;
/** Seconds between two packets. */
const interval = 0.01;

interface Target {
  what: string;
  address: string;
}

/**
 * Pings each target many times in a row, nodes from the node itself and pods from its probe pod.
 * Prints per target: what it is, its address, how many packets were lost, the mean time in ms.
 */
function script(nodes: readonly Target[], pods: readonly Target[]): string {
  const asked = [
    ...nodes.map(({ what, address }) => `host ${address} ${what}`),
    ...pods.map(({ what, address }) => `pod ${address} ${what}`),
  ];
  return `one() {
  from=$1 address=$2 what=$3
  ask() {
    if [ "$from" = pod ]; then nsenter --net="$(cat ${workDirectory}/netns)" -- ping "$@"; else ping "$@"; fi
  }
  # The first packet may be lost to neighbour discovery.
  ask -n -q -c 1 -W 1 "$address" >/dev/null 2>&1 || true
  { ask -n -q -c ${packets} -i ${interval} -W 1 "$address" || true; } | awk -v what="$what" -v address="$address" '
    / packets transmitted/ { lost = $1 - $4 }
    /^rtt / { split($4, times, "/"); mean = times[2] }
    END { print what, address, lost, mean == "" ? "-" : mean }'
}
export -f one
xargs -r -P 8 -L 1 bash -c 'one "$@"' one <<'TARGETS'
${asked.join("\n")}
TARGETS
true`;
}

/** The next node and its pod, so that every node is asked and asks once. */
function targets(cluster: Cluster, all: Awaited<ReturnType<typeof probes>>, node: string): string {
  const peer = peerOf(cluster.nodes, node);
  const { addresses = [] } = cluster.plan.nodes.find(({ name }) => name === peer) ?? {};
  const to = (what: string) => (address: string) => ({ what, address });
  return script(addresses.map(to(peer)), probeOn(all, peer).addresses.map(to(`pod-on-${peer}`)));
}

export const packetLossProof: Proof = {
  promise: "No packet is lost between nodes and between pods, and each comes back in time",
  proof: `${packets} pings, ${interval * 1000} ms apart, from each node to the next and from its pod to the next node's pod, per family; bounds: verify.packetLossPercent, gates.nodeRttMilliseconds`,
  fix: "compare the named path with others by `oslo-cluster debug`; a port that polices traffic, a bad cable or an oversold hypervisor loses packets: show the figures to the provider",
  limitSeconds: 110,
  async prove(cluster) {
    if (cluster.nodes.length < 2) return notProved("the cluster has one node");
    const { packetLossPercent } = cluster.config.verify;
    const { nodeRttMilliseconds } = cluster.config.gates;
    const all = await probes(cluster);
    const answers = await onEveryNode(cluster, (node) => targets(cluster, all, node));
    const paths = answers.flatMap(({ node, output }) =>
      output
        .split("\n")
        .filter(Boolean)
        .map((line) => {
          const [what, address, lost, mean] = line.split(" ");
          const percent = (Number(lost) / packets) * 100;
          return { path: `${node} → ${what} ${address}`, percent, mean: Number(mean) };
        }),
    );
    const wanted = cluster.nodes.length * 2 * cluster.config.network.podSubnets.length;
    const found = paths.flatMap(({ path, percent, mean }) => {
      if (!(percent <= packetLossPercent))
        return [`${path}: ${percent} % lost, allowed ${packetLossPercent} %`];
      return mean <= nodeRttMilliseconds
        ? []
        : [`${path}: ${mean} ms, allowed ${nodeRttMilliseconds} ms`];
    });
    if (paths.length < wanted) found.push(`${paths.length} of ${wanted} paths were measured`);
    const most = (values: number[]) => Math.max(...values);
    return expectNothing(
      found,
      `${paths.length} paths: at most ${most(paths.map(({ percent }) => percent))} % lost, ${most(paths.map(({ mean }) => mean))} ms`,
    );
  },
};
