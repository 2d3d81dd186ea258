import { nodeObjects } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

export const podSubnetsProof: Proof = {
  promise: "Each node has its share of every pod subnet, IPv4 and IPv6",
  proof: "spec.podCIDRs of every node: one per subnet, no two alike",
  fix: "`kubectl -n kube-system logs -l component=kube-controller-manager`: it gives each node its share",
  async prove(cluster) {
    const items = await nodeObjects(cluster);
    const { podSubnets } = cluster.config.network;
    const wrong = items
      .filter(({ spec }) => spec.podCIDRs?.length !== podSubnets.length)
      .map(({ metadata, spec }) => `${metadata.name} has ${spec.podCIDRs?.join(", ") || "none"}`);
    const all = items.flatMap(({ spec }) => spec.podCIDRs ?? []);
    const twice = all.filter((share, i) => all.indexOf(share) !== i);
    const shares = items.map(
      ({ metadata, spec }) => `${metadata.name}: ${spec.podCIDRs?.join(", ")}`,
    );
    const more = shares.length > 4 ? `; and ${shares.length - 4} more` : "";
    return expectNothing(
      [...wrong, ...twice.map((share) => `${share} belongs to two nodes`)],
      `${shares.slice(0, 4).join("; ")}${more}`,
    );
  },
};
