import type { Config } from "../../config/config.ts";
import { defaultDenyName } from "../../config/rules/policies.ts";
import type { AppliedDirective } from "../directive.ts";
import type { Manifest } from "../manifest.ts";
import { nameServers } from "./node-local-dns.ts";

type Part = Pick<Config, "cilium" | "policies">;
type Policy = Config["policies"]["networkPolicies"][number];
type Egress = NonNullable<Policy["egress"]>[number];

/** Default deny for the tenants' namespaces, and what is allowed all the same. */
export function policyObjects(config: Part): Manifest[] {
  const { defaultDeny, networkPolicies } = config.policies;
  return [
    ...defaultDeny.map((namespace) => denyAllButDns(config, namespace)),
    ...networkPolicies.map((policy) => networkPolicy(config, policy)),
  ];
}

function denyAllButDns(config: Part, namespace: string): Manifest {
  return manifest(defaultDenyName, namespace, {
    description: "Denies what no other policy allows, but for questions to the name server.",
    endpointSelector: {},
    // A rule that names nobody: who has one is denied all that no rule allows.
    ingress: [{}],
    egress: [toNameServers(config)],
  });
}

function networkPolicy(config: Part, policy: Policy): Manifest {
  const { name, namespace, description, endpointSelector, ingress, egress } = policy;
  return manifest(name, namespace, {
    ...(description ? { description } : {}),
    endpointSelector,
    ...(ingress ? { ingress: rules(ingress) } : {}),
    ...(egress ? { egress: rules([...namesFor(config, egress), ...egress]) } : {}),
  });
}

/** Names are learned from the answers to pods' questions: without a rule for those toFQDNs matches nothing. */
function namesFor(config: Part, egress: readonly Egress[]): object[] {
  const byName = egress.some(({ toFQDNs }) => toFQDNs);
  const asked = egress.some(({ toPorts }) => toPorts?.some(({ rules }) => rules?.dns));
  return byName && !asked ? [toNameServers(config)] : [];
}

/**
 * Questions to CoreDNS, and to the node's cache where there is one. Through the proxy, so that names
 * are learned and Hubble sees them; `*` and not the names alone, since resolvers try search domains.
 */
function toNameServers(config: Part): object {
  return {
    toEndpoints: nameServers(config).map((app) => ({
      matchLabels: { "k8s:io.kubernetes.pod.namespace": "kube-system", "k8s:k8s-app": app },
    })),
    toPorts: [
      {
        ports: ["UDP", "TCP"].map((protocol) => ({ port: "53", protocol })),
        ...(config.cilium.l7Proxy ? { rules: { dns: [{ matchPattern: "*" }] } } : {}),
      },
    ],
  };
}

/** Ports are text in Cilium's kinds; a direction with no rule at all is denied by one that names nobody. */
function rules(list: readonly object[]): object[] {
  if (list.length === 0) return [{}];
  return list.map((rule) => {
    const { toPorts, ...peers } = rule as { toPorts?: { ports: { port: number | string }[] }[] };
    if (toPorts === undefined) return peers;
    return {
      ...peers,
      toPorts: toPorts.map(({ ports, ...rest }) => ({
        ports: ports.map((one) => ({ ...one, port: String(one.port) })),
        ...rest,
      })),
    };
  });
}

function manifest(name: string, namespace: string, spec: object): Manifest {
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name, namespace },
    spec,
  };
}

export const policyDirectives: AppliedDirective[] = [
  {
    article: "002",
    says: "CiliumNetworkPolicy secure-payment-gateway: POST /v1/charge from checkout-frontend; toFQDNs api.stripe.com; postgres-db",
    applied: "policies.networkPolicies, see examples/Pulumi.articles.yaml",
    why: "Applied as data. Corrected: the DNS rule is added, without which toFQDNs learns no name and nothing resolves; ports 443 and 5432 alone.",
  },
  {
    article: "002",
    says: "identity-aware micro-segmentation: a compromised frontend cannot scan the internal network",
    applied: "policies.defaultDeny: a policy default-deny per namespace, DNS allowed",
    why: "Applied: a policy restricts the pods that it selects alone; everybody else in the namespace needs a default.",
  },
];
