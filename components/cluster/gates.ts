import * as pulumi from "@pulumi/pulumi";
import type { StepName } from "../../plan/step.ts";
import type { Node, NodeFacts } from "../node/node.ts";

/** Hardware and network gates of every node; a machine that fails one is not built on. */
export class Gates extends pulumi.ComponentResource {
  /** Per node and gate, what was measured. */
  readonly readings: pulumi.Output<Record<string, Record<string, unknown>>>;
  /** Passed when these are; nothing is built before. */
  readonly passed: pulumi.Input<pulumi.Resource>[];

  constructor(name: string, nodes: Node[], opts?: pulumi.ComponentResourceOptions) {
    super("oslo-cluster:index:Gates", name, {}, opts);
    const distinct = assertDistinct(nodes, this);
    const claims = nodes.map((node) => node.claim);
    const gates = nodes.map((node) => {
      const prerequisites = node.step("prerequisites");
      const names = (["gate-host", "gate-etcd-disk", "gate-guest", "gate-peers"] as const).filter(
        (gate) => gate in node.plan.steps,
      );
      // The machine itself is measured with what every machine has, while the packages come: a busy
      // machine shows its hypervisor's steal best. Peers must be there to be measured.
      const after = (gate: StepName) => {
        if (gate === "gate-host") return [];
        return gate === "gate-peers" ? [prerequisites, ...claims] : [prerequisites];
      };
      return { node, steps: names.map((gate) => node.step(gate, after(gate))) };
    });
    const steps = gates.flatMap((gate) => gate.steps);
    // A clone would pass every gate: what is built waits for the comparison too.
    this.passed = [...steps, distinct.apply(() => steps[0] as pulumi.Resource)];
    this.readings = distinct.apply(() =>
      pulumi
        .all(gates.map(({ steps }) => pulumi.all(steps.map((gate) => gate.stdout))))
        .apply((all) =>
          Object.fromEntries(
            gates.map(({ node }, i) => [
              node.plan.name,
              Object.assign({}, ...(all[i] ?? []).map((text) => JSON.parse(text || "{}"))),
            ]),
          ),
        ),
    );
    this.registerOutputs({ readings: this.readings });
  }
}

/** Machines cloned from one disk pass for one another in etcd, leases and ARP. */
function assertDistinct(nodes: Node[], resource: pulumi.Resource): pulumi.Output<void> {
  return pulumi.all(nodes.map((node) => node.facts)).apply((facts) => {
    const problems = sharedIdentities(
      facts.map((fact, i) => ({ ...fact, node: nodes[i]?.plan.name ?? "" })),
    );
    if (problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), resource);
  });
}

/** A line for each identity that two machines share. */
export function sharedIdentities(facts: (NodeFacts & { node: string })[]): string[] {
  const identities: [keyof NodeFacts, string][] = [
    ["machineId", "rm /etc/machine-id; systemd-machine-id-setup, then restart"],
    ["productUuid", "give the virtual machines UUIDs of their own"],
    ["hostname", "hostnamectl set-hostname <name>"],
    ["macAddresses", "give the virtual machines MAC addresses of their own"],
  ];
  return identities.flatMap(([key, fix]) => {
    const seen = new Map<string, string>();
    return facts.flatMap(({ node, [key]: values }) =>
      values
        .split(" ")
        .filter(Boolean)
        .flatMap((value) => {
          const first = seen.get(value);
          if (first === undefined) seen.set(value, node);
          return first === undefined || first === node
            ? []
            : [`${node}: ${key} ${value}: ${first} has the same; on ${node}: ${fix}`];
        }),
    );
  });
}
