import * as pulumi from "@pulumi/pulumi";
import { barrier } from "../barrier.ts";
import type { Node, NodeFacts } from "../node/node.ts";

/** Every machine is claimed, has passed its gates, and is no clone of another: nothing is built before. */
export function createGates(nodes: Node[], opts: pulumi.ComponentResourceOptions): pulumi.Resource {
  const claims = nodes.map(({ claim }) => claim);
  const distinct = assertDistinct(nodes);
  // A clone would pass every gate.
  return barrier(
    "gates",
    distinct.apply(() => claims),
    opts,
  );
}

/** Machines cloned from one disk pass for one another in etcd, leases and ARP. */
function assertDistinct(nodes: Node[]): pulumi.Output<void> {
  return pulumi.all(nodes.map((node) => node.facts)).apply((facts) => {
    const problems = sharedIdentities(
      facts.map((fact, i) => ({ ...fact, node: nodes[i]?.plan.name ?? "" })),
    );
    if (problems.length > 0) throw new pulumi.RunError(problems.join("\n"));
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
