import { family, isReservedIn, parseAddress } from "../cidr.ts";
import type { Config } from "../config.ts";
import type { Problem } from "../problem.ts";
import { duplicates, type Rule } from "../rule.ts";
import { has, meet, type Range, rangeOf, rangeOfCidr, within } from "./ranges.ts";

/** A pool's addresses belong to services: nothing else may have them, and somebody must announce them. */
export const loadBalancerPools: Rule = function* (config) {
  const { loadBalancerIPPools: pools, l2announcements, bgpControlPlane } = config.cilium;
  for (const { item, index } of duplicates(pools, ({ name }) => name)) {
    yield {
      path: `cilium.loadBalancerIPPools[${index}].name`,
      value: item.name,
      why: "another pool has that name",
      fix: "give it another name",
    };
  }
  if (pools.length > 0 && !l2announcements.enabled && !bgpControlPlane.enabled) {
    yield {
      path: "cilium.loadBalancerIPPools",
      value: pools.map(({ name }) => name).join(", "),
      why: "services would get addresses that nobody announces",
      fix: "write l2announcements.enabled: true, or bgpControlPlane.enabled: true",
    };
  }
  const earlier: { range: Range; path: string }[] = [];
  for (const [p, pool] of pools.entries()) {
    for (const [b, block] of pool.blocks.entries()) {
      const path = `cilium.loadBalancerIPPools[${p}].blocks[${b}]`;
      const range = rangeOf(block);
      if (range === undefined) {
        yield {
          path,
          value: block,
          why: "neither a CIDR nor a range from start up to stop, of one family",
          fix: "give cidr, or start and stop, and not both",
        };
        continue;
      }
      // What `allowFirstLastIPs: false` keeps back are the ends of a CIDR, not of a range.
      const withEnds = pool.allowFirstLastIPs || block.cidr === undefined;
      yield* takenAddresses(config, range, path, withEnds);
      const other = earlier.find((one) => meet(one.range, range));
      if (other) {
        yield {
          path,
          value: range.text,
          why: `shares addresses with ${other.path}: Cilium would serve one pool alone`,
          fix: "give ranges that are apart",
        };
      }
      earlier.push({ range, path });
    }
  }
};

function* takenAddresses(
  { cluster, cilium, network, nodes }: Config,
  range: Range,
  path: string,
  withEnds: boolean,
): Generator<Problem> {
  const problem = (why: string, fix: string): Problem => ({ path, value: range.text, why, fix });
  if (!network.families.includes(range.family)) {
    yield problem(`the cluster has no IPv${range.family}`, "give a range of a family that it has");
    return;
  }
  for (const { name, addresses } of nodes) {
    for (const address of addresses.filter((one) => has(range, one))) {
      yield problem(
        `holds ${address}, the address of ${name}: a service on it would cut the node off, SSH too (cilium#44430)`,
        "give a range without nodes' addresses",
      );
    }
  }
  const { endpoint } = cluster;
  const isNode = nodes.some(({ addresses }) => addresses.includes(endpoint.host));
  if (endpoint.isAddress && !isNode && has(range, endpoint.host)) {
    yield problem(
      `holds ${endpoint.host}, the API server's address (cluster.endpoint)`,
      "give a range without it",
    );
  }
  for (const gateway of network.vlan.gateways.filter((one) => has(range, one))) {
    yield problem(`holds ${gateway}, the VLAN's gateway`, "give a range without it");
  }
  for (const key of ["podSubnets", "serviceSubnets"] as const) {
    for (const cidr of network[key].filter((one) => meet(range, rangeOfCidr(one)))) {
      yield problem(`is in network.${key} (${cidr})`, "give a range of its own");
    }
  }
  const subnet = network.vlan.subnets.find((cidr) => meet(range, rangeOfCidr(cidr)));
  if (subnet && withEnds) {
    for (const edge of edges(subnet).filter((one) => has(range, one))) {
      yield problem(
        `holds ${edge}, the network or broadcast address of ${subnet}`,
        "give a range without it, or allowFirstLastIPs: false",
      );
    }
  }
  const { l2announcements, bgpControlPlane } = cilium;
  const onLink = network.vlan.subnets.some((cidr) => within(range, rangeOfCidr(cidr)));
  if (l2announcements.enabled && !bgpControlPlane.enabled && !onLink) {
    yield problem(
      `not in network.vlan.subnets (${network.vlan.subnets.join(", ")}): nobody asks for it by ARP or NDP`,
      "give a range of the VLAN, or announce it by bgpControlPlane",
    );
  }
}

function edges(subnet: string): string[] {
  const first = subnet.split("/")[0] as string;
  if (family(subnet) === 6) return [first];
  const last = parseAddress(subnet)?.endAddress().correctForm() ?? first;
  return [first, last].filter((address) => isReservedIn(subnet, address));
}

/** Leases of L2 announcements as the agent's leader election takes them. */
export const leases: Rule = function* ({ cilium }) {
  const { l2announcements: l2, k8sClientRateLimit: rate } = cilium;
  const path = "cilium.l2announcements";
  if (l2.leaseRenewDeadlineSeconds >= l2.leaseDurationSeconds) {
    yield {
      path: `${path}.leaseRenewDeadlineSeconds`,
      value: l2.leaseRenewDeadlineSeconds,
      why: `a lease of ${l2.leaseDurationSeconds} s would end before it is renewed`,
      fix: `write less than ${l2.leaseDurationSeconds}`,
    };
  }
  if (l2.leaseRetryPeriodSeconds * 1.2 >= l2.leaseRenewDeadlineSeconds) {
    yield {
      path: `${path}.leaseRetryPeriodSeconds`,
      value: l2.leaseRetryPeriodSeconds,
      why: `with its jitter of a fifth not below the renew deadline of ${l2.leaseRenewDeadlineSeconds} s: the agent does not start`,
      fix: "write a shorter pause",
    };
  }
  if (l2.policies.length > 0 && !l2.enabled) {
    yield {
      path: `${path}.policies`,
      value: l2.policies.map(({ name }) => name).join(", "),
      why: "nothing is announced while l2announcements.enabled is false",
      fix: "write enabled: true, or remove them",
    };
  }
  for (const { item, index } of duplicates(l2.policies, ({ name }) => name)) {
    yield {
      path: `${path}.policies[${index}].name`,
      value: item.name,
      why: "another policy has that name",
      fix: "give it another name",
    };
  }
  if (rate.burst < rate.qps) {
    yield {
      path: "cilium.k8sClientRateLimit.burst",
      value: rate.burst,
      why: `less than qps (${rate.qps})`,
      fix: `write ${rate.qps} or more`,
    };
  }
};
