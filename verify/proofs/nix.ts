import { onEveryNode } from "../cluster.ts";
import { expectNothing, notEnabled, type Proof } from "../proof.ts";

export const nixProof: Proof = {
  promise: "The Norwegian Internet Exchange is close",
  proof: "mean of ten pings to verify.nixAddress from every node; bound: verify.nixRttMilliseconds",
  fix: "the way to NIX is longer than verify.nixRttMilliseconds: ask the provider, or set the bound",
  async prove(cluster) {
    const { nixAddress, nixRttMilliseconds } = cluster.config.verify;
    if (nixAddress === undefined) return notEnabled("verify.nixAddress is not set");
    const answers = await onEveryNode(
      cluster,
      `{ ping -n -q -c 10 -i 0.2 -W 2 ${nixAddress} || true; } | sed -n 's|^rtt [^=]*= [0-9.]*/\\([0-9.]*\\)/.*|\\1|p'`,
    );
    const found = answers.flatMap(({ node, output }) => {
      if (output === "") return [`${node}: no answer from ${nixAddress}`];
      return Number(output) > nixRttMilliseconds
        ? [`${node}: ${output} ms, allowed ${nixRttMilliseconds} ms`]
        : [];
    });
    const slowest = Math.max(...answers.map(({ output }) => Number(output)));
    return expectNothing(
      found,
      `${nixAddress}: at most ${slowest} ms from ${answers.length} nodes`,
    );
  },
};
