import { type Cluster, nodeObjects } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** Nodes as the plan has them: there, Ready, at the version that was asked for. */
export const nodesProof: Proof = {
  promise: "Every machine of the stack is a Ready node at the version that was asked for",
  proof: "the API's list of nodes: condition Ready, kubelet's version, runtime",
  fix: "`kubectl describe node NODE`; `oslo-cluster drift STACK` compares its files with the plan",
  async prove(cluster: Cluster) {
    const items = await nodeObjects(cluster);
    const wanted = `v${cluster.config.kubernetes.version}`;
    const found = cluster.nodes.flatMap((name) => {
      const node = items.find((item) => item.metadata.name === name);
      if (node === undefined) return [`${name} is not a node`];
      const { kubeletVersion } = node.status.nodeInfo;
      const ready = node.status.conditions.find(({ type }) => type === "Ready");
      return [
        ...(kubeletVersion === wanted ? [] : [`${name} runs ${kubeletVersion}, not ${wanted}`]),
        ...(ready?.status === "True"
          ? []
          : [`${name} is not Ready: ${ready?.message ?? "no condition"}`]),
      ];
    });
    const strangers = items.filter(({ metadata }) => !cluster.nodes.includes(metadata.name));
    found.push(
      ...strangers.map(({ metadata }) => `${metadata.name} is a node, and not of the stack`),
    );
    const runtimes = new Set(items.map(({ status }) => status.nodeInfo.containerRuntimeVersion));
    return expectNothing(
      found,
      `${items.length} nodes Ready at ${wanted}, ${[...runtimes].join(", ")}`,
    );
  },
};
