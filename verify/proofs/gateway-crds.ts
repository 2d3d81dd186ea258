import { expectNothing, notEnabled, type Proof } from "../proof.ts";

export const gatewayCrdsProof: Proof = {
  promise: "The Gateway API's resources are known to the cluster",
  proof: "each CRD of the plan is established in the API server",
  fix: "`pulumi up` installs them; somebody may have deleted them",
  async prove(cluster) {
    const wanted = cluster.plan.gatewayApi.crds.map(({ metadata }) => metadata.name);
    if (wanted.length === 0) return notEnabled("gatewayApi.enabled is false");
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
