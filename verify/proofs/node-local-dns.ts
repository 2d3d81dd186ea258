import { hostPort } from "../../config/cidr.ts";
import { toldAddress } from "../address.ts";
import { type Cluster, onEveryNode } from "../cluster.ts";
import { probes } from "../probe/pods.ts";
import { clusterDns, questions } from "../probe/questions.ts";
import { expectNothing, notEnabled, type Proof } from "../proof.ts";

/** Questions from each node's pod. */
const count = 20;

/**
 * Questions for NAPTR (35), which nobody else asks: the cache counts them as type `other`, apart from
 * what the node's other pods ask. It counts an answer once it is sent, so that the last may be late.
 */
const script = (server: string, cache: string) => `counted() {
  curl -sS --max-time 5 'http://${hostPort(cache, 9253)}/metrics' |
    awk '/^coredns_dns_requests_total[{]/ && /type="other"/ { sum += $NF } END { if (NR) print sum + 0 }'
}
ask() {
${questions({ server, count, type: 35 })}
}
before=$(counted)
[ -n "$before" ] || { echo 'the metrics of ${cache} cannot be read' >&2; exit 1; }
answered=$(ask | grep -c '^[0-9]')
for try in $(seq 100); do
  after=$(counted)
  [ "$((after - before))" -ge ${count} ] && break
  sleep 0.1
done
echo "$answered $((after - before))"`;

export const nodeLocalDnsProof: Proof = {
  promise: "The DNS cache of a pod's own node answers it",
  proof: `${count} questions to the cluster's DNS address from a pod on each node, of a type that no other pod asks for: all are answered, and the cache on that node counts them (coredns_dns_requests_total)`,
  fix: "`kubectl -n kube-system logs daemonset/node-local-dns`",
  limitSeconds: 110,
  async prove(cluster) {
    if (!cluster.config.cilium.nodeLocalDns.enabled) {
      return notEnabled("cilium.nodeLocalDns.enabled is false");
    }
    await probes(cluster);
    const server = await clusterDns(cluster);
    const caches = await cachesByNode(cluster);
    const without = cluster.nodes.filter((node) => !caches.has(node));
    if (without.length > 0) {
      return expectNothing(
        without.map((node) => `${node}: no cache is Ready there`),
        "",
      );
    }
    const answers = await onEveryNode(cluster, (node) => script(server, caches.get(node) ?? ""));
    const found = answers.flatMap(({ node, output }) => {
      const [answered = 0, counted = 0] = output.split(" ").map(Number);
      return [
        ...(answered === count
          ? []
          : [`${node}: ${count - answered} of ${count} questions to ${server} are lost`]),
        ...(counted >= count
          ? []
          : [
              `${node}: its cache (${caches.get(node)}) counted ${counted} of ${count} questions to ${server}`,
            ]),
      ];
    });
    return expectNothing(
      found,
      `${answers.length} nodes: ${count} questions to ${server} each, counted by the node's own cache`,
    );
  },
};

interface Pod {
  spec: { nodeName?: string };
  status: { podIP?: string; conditions?: { type: string; status: string }[] };
}

/** Addresses of the caches that are Ready. */
async function cachesByNode({ kubectl }: Cluster): Promise<Map<string, string>> {
  const { items } = JSON.parse(
    await kubectl(
      ...["-n", "kube-system", "get", "pods", "-l", "k8s-app=node-local-dns", "-o", "json"],
    ),
  ) as { items: Pod[] };
  return new Map(
    items
      .filter(({ status }) =>
        status.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
      )
      .flatMap(({ spec, status }) =>
        spec.nodeName && status.podIP
          ? [[spec.nodeName, toldAddress(status.podIP, `the address of ${spec.nodeName}'s cache`)]]
          : [],
      ),
  );
}
