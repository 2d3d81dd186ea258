import { readFileSync } from "node:fs";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { LoadBalancerMode } from "../../plan/cilium.ts";
import { allowedMode, type DatapathReading } from "../../plan/datapath-probe.ts";
import type { ClusterPlan } from "../../plan/plan.ts";
import { renderStep } from "../../plan/step.ts";
import { scriptDigest } from "../../steps/bundle.ts";
import { ssh } from "../../steps/ssh/command.ts";
import type { NodeReach } from "../../steps/ssh/target.ts";
import type { Node } from "../node/node.ts";

export interface DatapathArgs {
  plan: Pick<ClusterPlan, "probe" | "cilium">;
  nodes: Node[];
  after: pulumi.Input<pulumi.Resource>[];
}

/**
 * Proof, by packets between the nodes, that the network lets pass what native routing and DSR will
 * send. Fails where it does not; where the configuration allows it, chooses snat instead.
 */
export class Datapath extends pulumi.ComponentResource {
  /** What Cilium's load balancer is to do. */
  readonly mode: pulumi.Output<LoadBalancerMode>;
  readonly reading: pulumi.Output<{ loadBalancerMode: LoadBalancerMode; paths: DatapathReading }>;
  /** Nothing is built on the network before these; empty where there is one node. */
  readonly proven: pulumi.Resource[];

  constructor(
    name: string,
    { plan, nodes, after }: DatapathArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-cluster:index:Datapath", name, {}, opts);
    const { probe } = plan;
    const wanted = pulumi.output(plan.cilium.mode);
    if (probe === undefined) {
      this.proven = [];
      this.mode = wanted;
      this.reading = wanted.apply((mode) => ({
        loadBalancerMode: mode,
        paths: {} as DatapathReading,
      }));
    } else {
      const proof = new command.local.Command(
        "datapath-probe",
        {
          create: `: ${scriptDigest("probe")}; exec sh -s`,
          stdin: pulumi
            .all(nodes.map(({ reach }) => reach))
            .apply((reaches) => probeScript(probe.documents, reaches)),
          logging: command.local.Logging.Stderr,
          addPreviousOutputInEnv: false,
        },
        { parent: this, dependsOn: after },
      );
      const paths = proof.stdout.apply((text) => JSON.parse(text) as DatapathReading);
      this.proven = [proof];
      // Without a fallback the probe has failed, or the mode is the wanted one: known in every preview.
      this.mode =
        probe.fallback === "none"
          ? wanted
          : paths.apply((reading) => allowedMode(plan.cilium.mode, reading));
      this.reading = pulumi
        .all([this.mode, paths])
        .apply(([mode, reading]) => ({ loadBalancerMode: mode, paths: reading }));
    }
    this.registerOutputs({ reading: this.reading });
  }
}

const endMarker = "OSLO_CLUSTER_END";

/** The whole probe as one script for `sh -s` on the operator's machine. Its stdout is the reading. */
export function probeScript(
  documents: Record<string, Parameters<typeof renderStep>[0]>,
  reaches: NodeReach[],
): string {
  const script = readFileSync(new URL("datapath.sh", import.meta.url), "utf8");
  const probes = reaches.flatMap((reach) => {
    const { name, asRoot } = reach;
    const document = documents[name];
    if (document === undefined) return [];
    const call = ssh(reach, asRoot("/usr/local/lib/oslo-cluster/oslo-step probe"));
    return [`probe ${name} ${call} <<'${endMarker}'\n${renderStep(document)}${endMarker}\n`];
  });
  return `${script}\n${probes.join("")}finish\n`;
}
