import { onEveryNode } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

export const overlayProof: Proof = {
  promise: "No packet is encapsulated: no vxlan and no geneve device",
  proof: "ip link show type vxlan, and geneve, on every node",
  fix: "something beside the stack makes the device: `ip -d link` on the node that is named",
  async prove(cluster) {
    const answers = await onEveryNode(
      cluster,
      "for type in vxlan geneve; do ip -o link show type $type; done | awk -F': ' '{ print $2 }' | xargs",
    );
    const found = answers.filter(({ output }) => output !== "");
    return expectNothing(
      found.map(({ node, output }) => `${node}: ${output}`),
      `0 vxlan, 0 geneve on ${answers.length} nodes`,
    );
  },
};
