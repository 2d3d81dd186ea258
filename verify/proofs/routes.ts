import { nodeObjects, onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

export const routesProof: Proof = {
  promise: "Each node routes to every peer's pods through that peer's own address",
  proof:
    "ip route and ip -6 route on every node: each peer's pod CIDRs via its address on the VLAN",
  fix: "`cilium-dbg status --verbose` in the node's agent; both nodes must be on the VLAN's link",
  async prove(cluster) {
    const items = await nodeObjects(cluster);
    const answers = await onEveryNode(cluster, "ip route; ip -6 route");
    const found = answers.flatMap(({ node, output }) => {
      const routes = output.split("\n");
      return cluster.plan.nodes
        .filter(({ name }) => name !== node)
        .flatMap(({ name, addresses }) => {
          const shares = items.find(({ metadata }) => metadata.name === name)?.spec.podCIDRs ?? [];
          return shares
            .map((share) => {
              const via = addresses.find((one) => one.includes(":") === share.includes(":"));
              return `${share} via ${via}`;
            })
            .filter((route) => !routes.some((line) => `${line} `.startsWith(`${route} `)))
            .map((route) => `${node}: no route ${route} (${name})`);
        });
    });
    const { length } = cluster.nodes;
    const routes = length * (length - 1) * cluster.config.network.podSubnets.length;
    return expectNothing(found, `${routes} routes on ${length} nodes`);
  },
};
