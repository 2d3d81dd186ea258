import type { Config } from "../config.ts";
import { allRoutes } from "../gateways.ts";
import type { Problem } from "../problem.ts";
import { duplicates, type Rule } from "../rule.ts";

type Policy = Config["policies"]["networkPolicies"][number];
type Direction = "ingress" | "egress";
type AnyRule = NonNullable<Policy["ingress"]>[number] | NonNullable<Policy["egress"]>[number];

/** The name of the policy that `policies.defaultDeny` makes. */
export const defaultDenyName = "default-deny";

/** Policies that Cilium takes, each rule as it is meant. */
export const networkPolicies: Rule = function* ({ cilium, policies }) {
  const list = policies.networkPolicies;
  for (const [i, namespace] of policies.defaultDeny.entries()) {
    if (!namespace.startsWith("kube-")) continue;
    yield {
      path: `policies.defaultDeny[${i}]`,
      value: namespace,
      why: "a namespace of the cluster itself: DNS, metrics and its other services would be cut off",
      fix: "remove it",
    };
  }
  for (const { item, index } of duplicates(policies.defaultDeny, (namespace) => namespace)) {
    yield {
      path: `policies.defaultDeny[${index}]`,
      value: item,
      why: "named twice",
      fix: "remove one",
    };
  }
  for (const [i, { name, namespace }] of list.entries()) {
    const own = name === defaultDenyName && policies.defaultDeny.includes(namespace);
    const earlier = list
      .slice(0, i)
      .some((other) => other.name === name && other.namespace === namespace);
    if (!own && !earlier) continue;
    yield {
      path: `policies.networkPolicies[${i}].name`,
      value: name,
      why: `namespace ${namespace} has a policy of that name already`,
      fix: "give it another name",
    };
  }
  for (const [i, policy] of list.entries()) {
    const at = `policies.networkPolicies[${i}]`;
    if (!policy.ingress && !policy.egress) {
      yield {
        path: at,
        value: policy.name,
        why: "has neither ingress nor egress, and Cilium refuses it",
        fix: "give ingress or egress; an empty list denies all",
      };
    }
    for (const direction of ["ingress", "egress"] as const) {
      for (const [r, rule] of (policy[direction] ?? []).entries()) {
        yield* problemsOf(rule, direction, `${at}.${direction}[${r}]`, cilium.l7Proxy);
      }
    }
  }
};

function* problemsOf(
  rule: AnyRule,
  direction: Direction,
  path: string,
  l7Proxy: boolean,
): Generator<Problem> {
  const { toPorts, ...peers } = rule;
  const named = Object.entries(peers).filter(([, list]) => list !== undefined);
  const kinds = named.map(([kind]) => kind);
  for (const [kind, list] of named) {
    if (list?.length !== 0) continue;
    yield {
      path: `${path}.${kind}`,
      value: list,
      why: "an empty list allows nothing",
      fix: "name somebody, or remove the rule",
    };
  }
  if (kinds.length > 1) {
    yield {
      path,
      value: kinds.join(", "),
      why: "Cilium takes one kind of peers in a rule",
      fix: "write a rule for each",
    };
  }
  if (kinds.length === 0 && toPorts === undefined) {
    yield {
      path,
      value: rule,
      why: "names neither peers nor ports: it would allow nothing",
      fix: "name peers or ports, or remove it",
    };
  }
  if ("toFQDNs" in rule && rule.toFQDNs) {
    if (!l7Proxy) {
      yield needsProxy(`${path}.toFQDNs`, "names are learned from DNS answers, by the proxy");
    }
    for (const [f, fqdn] of rule.toFQDNs.entries()) yield* oneOf(fqdn, `${path}.toFQDNs[${f}]`);
  }
  for (const [p, { ports, rules }] of (toPorts ?? []).entries()) {
    const at = `${path}.toPorts[${p}]`;
    for (const [n, { port, endPort }] of ports.entries()) {
      if (endPort === undefined || endPort > port) continue;
      yield {
        path: `${at}.ports[${n}].endPort`,
        value: endPort,
        why: `not above port ${port}`,
        fix: "write the range's last port",
      };
    }
    if (rules === undefined) continue;
    if (!l7Proxy) yield needsProxy(`${at}.rules`, "rules of L7 are the proxy's to enforce");
    yield* l7Problems(rules, ports, direction, at);
  }
}

type ToPorts = NonNullable<AnyRule["toPorts"]>[number];

function* l7Problems(
  { http, dns }: NonNullable<ToPorts["rules"]>,
  ports: ToPorts["ports"],
  direction: Direction,
  at: string,
): Generator<Problem> {
  if (http && dns) {
    yield {
      path: `${at}.rules`,
      value: "http, dns",
      why: "Cilium takes one L7 protocol for each list of ports",
      fix: "write toPorts for each",
    };
  }
  const udp = ports.findIndex(({ protocol }) => protocol !== "TCP");
  if (http && udp >= 0) {
    yield {
      path: `${at}.ports[${udp}].protocol`,
      value: ports[udp]?.protocol,
      why: "HTTP rules need TCP",
      fix: "write TCP",
    };
  }
  if (dns && direction === "ingress") {
    yield {
      path: `${at}.rules.dns`,
      value: dns,
      why: "Cilium takes DNS rules for egress alone",
      fix: "write them under egress",
    };
  }
  if (dns && ports.some(({ port, endPort = port }) => port !== 53 || endPort !== 53)) {
    yield {
      path: `${at}.ports`,
      value: ports.map(({ port, endPort }) => (endPort ? `${port}-${endPort}` : port)).join(", "),
      why: "DNS rules need port 53",
      fix: "write 53, for UDP and TCP",
    };
  }
  for (const [d, one] of (dns ?? []).entries()) yield* oneOf(one, `${at}.rules.dns[${d}]`);
}

function* oneOf(
  fqdn: { matchName?: string | undefined; matchPattern?: string | undefined },
  path: string,
): Generator<Problem> {
  if ((fqdn.matchName === undefined) !== (fqdn.matchPattern === undefined)) return;
  yield {
    path,
    value: fqdn,
    why: "neither one name nor one pattern",
    fix: "give matchName or matchPattern",
  };
}

function needsProxy(path: string, reason: string): Problem {
  return {
    path,
    value: "cilium.l7Proxy: false",
    why: `${reason}, and Cilium refuses the policy without it`,
    fix: "write cilium.l7Proxy: true, or remove it",
  };
}

/** What is denied by default and routed to all the same would be answered 403 or not at all. */
export const routesIntoDenied: Rule = function* ({ gatewayApi, policies }) {
  if (!gatewayApi.enabled) return;
  const admits = (namespace: string) =>
    policies.networkPolicies.some(
      (policy) =>
        policy.namespace === namespace &&
        policy.ingress?.some(({ fromEntities = [] }) =>
          fromEntities.some((entity) => entity === "ingress" || entity === "all"),
        ),
    );
  for (const [i, { name, namespace, rules }] of allRoutes(gatewayApi).entries()) {
    const reached = rules.flatMap(({ backends }) =>
      backends.map((backend) => backend.namespace ?? namespace),
    );
    const closed = [...new Set(reached)].find(
      (target) => policies.defaultDeny.includes(target) && !admits(target),
    );
    if (closed === undefined) continue;
    yield {
      path: `gatewayApi.routes[${i}]`,
      value: name,
      why: `leads into ${closed}, where policies.defaultDeny lets no gateway in`,
      fix: "write a policy there with ingress.fromEntities: [ingress]",
    };
  }
};

/** Cilium's kinds come with its operator: who does not wait for it cannot have objects of them. */
export const waitedFor: Rule = function* ({ cilium, policies }) {
  if (cilium.waitFor !== "nothing") return;
  const wanted = {
    "cilium.loadBalancerIPPools": cilium.loadBalancerIPPools.length > 0,
    "cilium.l2announcements": cilium.l2announcements.enabled,
    "cilium.bgpControlPlane": cilium.bgpControlPlane.enabled,
    "cilium.nodeLocalDns": cilium.nodeLocalDns.enabled,
    policies: policies.defaultDeny.length + policies.networkPolicies.length > 0,
  };
  const needing = Object.entries(wanted).flatMap(([key, needs]) => (needs ? [key] : []));
  if (needing.length === 0) return;
  yield {
    path: "cilium.waitFor",
    value: "nothing",
    why: `the kinds that ${needing.join(", ")} needs are there only once Cilium's operator runs`,
    fix: "write agents or all",
  };
};
