import { families, hostBits, overlaps, prefixLength } from "../cidr.ts";
import type { Config } from "../config.ts";
import type { Rule } from "../rule.ts";

type Named = { path: string; cidr: string };

/** The same families in the same order everywhere, or Kubernetes and Cilium disagree on which is primary. */
export const sameFamilies: Rule = function* ({ network, nodes }) {
  const expected = network.families;
  const text = (list: readonly number[]) => list.map((f) => `IPv${f}`).join(", ");
  const lists: [string, readonly string[]][] = [
    ["network.podSubnets", network.podSubnets],
    ["network.serviceSubnets", network.serviceSubnets],
    ...nodes.map(({ at, addresses }): [string, readonly string[]] => [at.allAddresses, addresses]),
  ];
  if (expected.length === 2 && expected[0] === expected[1]) {
    yield {
      path: "network.vlan.subnets",
      value: network.vlan.subnets,
      why: `two subnets of one family (${text(expected)})`,
      fix: "give one subnet, or one of each family",
    };
    return;
  }
  for (const [path, list] of lists) {
    if (text(families(list)) === text(expected)) continue;
    yield {
      path,
      value: list,
      why: `families ${text(families(list))} are not those of network.vlan.subnets (${text(expected)})`,
      fix: "give the same families in the same order",
    };
  }
};

/** Every pair of networks, both ways. */
export const disjointSubnets: Rule = function* (config) {
  const all = [...named(config, "podSubnets"), ...named(config, "serviceSubnets"), ...vlan(config)];
  for (const [i, a] of all.entries()) {
    for (const b of all.slice(i + 1)) {
      if (!overlaps(a.cidr, b.cidr)) continue;
      yield {
        path: a.path,
        value: a.cidr,
        why: `overlaps ${b.path} (${b.cidr}): packets for one would go to the other`,
        fix: "choose disjoint ranges",
      };
    }
  }
};

/** Ranges that are large enough, and not larger than the API server takes. */
export const subnetSizes: Rule = function* ({ network, nodes, kubernetes }) {
  for (const [i, cidr] of network.podSubnets.entries()) {
    const v4 = !cidr.includes(":");
    const mask = v4 ? network.nodeMaskSizes.ipv4 : network.nodeMaskSizes.ipv6;
    const maskPath = `network.nodeMaskSizes.${v4 ? "ipv4" : "ipv6"}`;
    const shares = mask < prefixLength(cidr) ? 0 : 2 ** (mask - prefixLength(cidr));
    if (shares < nodes.length) {
      yield {
        path: `network.podSubnets[${i}]`,
        value: cidr,
        why: `holds ${shares} shares of /${mask} for ${nodes.length} nodes`,
        fix: `widen it, or raise ${maskPath}`,
      };
    }
    if (mask - prefixLength(cidr) > 16) {
      yield {
        path: maskPath,
        value: mask,
        why: `kube-controller-manager splits ${cidr} by at most 16 bits`,
        fix: `write ${prefixLength(cidr) + 16} or less`,
      };
    }
    const addresses = 2 ** ((v4 ? 32 : 128) - mask) - 2;
    if (addresses < kubernetes.kubelet.maxPods) {
      yield {
        path: "kubernetes.kubelet.maxPods",
        value: kubernetes.kubelet.maxPods,
        why: `a node's share /${mask} of ${cidr} holds ${addresses} pods`,
        fix: `lower it, or lower ${maskPath}`,
      };
    }
  }
  for (const [i, cidr] of network.serviceSubnets.entries()) {
    const bits = hostBits(cidr);
    if (bits >= 4 && bits <= 20) continue;
    yield {
      path: `network.serviceSubnets[${i}]`,
      value: cidr,
      why: bits < 4 ? "holds fewer than 10 services" : "the API server takes at most 20 host bits",
      fix: "write a prefix that leaves 4 to 20 bits, such as 10.96.0.0/16 or fd00:10:96::/112",
    };
  }
};

function named({ network }: Config, key: "podSubnets" | "serviceSubnets"): Named[] {
  return network[key].map((cidr, i) => ({ path: `network.${key}[${i}]`, cidr }));
}

function vlan({ network }: Config): Named[] {
  return network.vlan.subnets.map((cidr, i) => ({ path: `network.vlan.subnets[${i}]`, cidr }));
}
