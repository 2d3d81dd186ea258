import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { renderStep } from "../../plan/step.ts";
import { scriptDigest } from "../../steps/bundle.ts";
import type { Node } from "../node/node.ts";
import type { Input } from "./endpoint/try.ts";

export interface EndpointArgs {
  plan: Pick<ClusterPlan, "endpointTry">;
  controlPlanes: Node[];
  after: pulumi.Resource[];
}

/** Proof that the operator's machine reaches `cluster.endpoint`, and control planes there. */
export function createEndpoint(
  { plan: { endpointTry }, controlPlanes, after }: EndpointArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { documents, ...target } = endpointTry;
  const nodes = pulumi.all(controlPlanes.map(({ reach }) => reach)).apply((reaches) =>
    reaches.flatMap(({ name, sshArguments, asRoot }) => {
      const document = documents[name];
      const remote = asRoot("/usr/local/lib/oslo-cluster/oslo-step endpoint");
      return document === undefined
        ? []
        : [{ name, command: ["ssh", ...sshArguments, remote], document: renderStep(document) }];
    }),
  );
  return new command.local.Command(
    "endpoint",
    {
      create: `: ${scriptDigest("endpoint")}; exec node components/cluster/endpoint/try.ts`,
      stdin: nodes.apply((nodes) => JSON.stringify({ ...target, nodes } satisfies Input)),
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    { ...opts, dependsOn: after },
  );
}
