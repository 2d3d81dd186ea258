import { expectNothing, notProved, type Proof } from "../proof.ts";

export const gatewayCrdsProof: Proof = {
  promise: "The Gateway API's resources are known to the cluster",
  proof: "each CRD of the plan is established in the API server",
  async prove(cluster) {
    const wanted = cluster.plan.gatewayApi.crds.map(({ metadata }) => metadata.name);
    if (wanted.length === 0) return notProved("gatewayApi.enabled is false");
    const output = await cluster.kubectl(
      ...["get", "crds", "-o"],
      'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Established")].status}{"\\n"}{end}',
    );
    const established = new Set(output.split("\n").filter((line) => line.endsWith(" True")));
    const missing = wanted.filter((name) => !established.has(`${name} True`));
    return expectNothing(
      missing.map((name) => `${name} is not established`),
      `${wanted.length} of ${wanted.length}`,
    );
  },
};
