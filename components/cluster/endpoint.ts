import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../plan/plan.ts";
import { renderStep } from "../../plan/step.ts";
import { scriptDigest } from "../../steps/bundle.ts";
import type { Node } from "../node/node.ts";
import type { Input } from "./endpoint/try.ts";

export interface EndpointArgs {
  plan: Pick<ClusterPlan, "endpointTry">;
  nodes: Node[];
  after: pulumi.Resource[];
}

/** Proof that the operator's machine reaches `cluster.endpoint`, and control planes there. */
export function createEndpoint(
  { plan: { endpointTry }, nodes, after }: EndpointArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { documents, ...target } = endpointTry;
  const taking = nodes.filter(({ plan: { name } }) => name in documents);
  const ends = pulumi.all(taking.map(({ reach }) => reach)).apply((reaches) =>
    reaches.flatMap(({ name, sshArguments, asRoot }, i) => {
      const document = documents[name];
      const remote = asRoot("/usr/local/lib/oslo-cluster/oslo-step endpoint");
      if (document === undefined) return [];
      return [
        {
          ...{ name, isControlPlane: taking[i]?.plan.role === "control-plane" },
          ...{ command: ["ssh", ...sshArguments, remote], document: renderStep(document) },
        },
      ];
    }),
  );
  return new command.local.Command(
    "endpoint",
    {
      create: `: ${scriptDigest("endpoint")}; exec node components/cluster/endpoint/try.[jt]s`,
      stdin: ends.apply((nodes) => JSON.stringify({ ...target, nodes } satisfies Input)),
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    { ...opts, dependsOn: after },
  );
}
