import type { Config } from "../config.ts";
import type { CiliumValue } from "./value.ts";

/** Sizes of the agents' maps. */
export const maps: CiliumValue[] = [
  {
    ...size("mapDynamicSizeRatio", "bpf-map-dynamic-size-ratio"),
    directives: [
      {
        article: "003",
        says: "monitoring conntrack usage is mandatory; table exhaustion",
        why: "Applied: under BPF host routing pod flows are in Cilium's own maps, which grow with the node's memory.",
      },
    ],
  },
  size("ctTcpMax", "bpf-ct-global-tcp-max"),
  size("ctAnyMax", "bpf-ct-global-any-max"),
  size("natMax", "bpf-nat-global-max"),
  {
    ...size("lbMapMax", "bpf-lb-map-max"),
    directives: [
      {
        article: "001",
        says: "5,000 services (004 too)",
        why: "Applied: the chart's own 65536 entries are full at 5,000 services with twelve backends and one address each.",
      },
    ],
  },
];

function size(name: keyof Config["cilium"]["bpf"], option: string): CiliumValue {
  return {
    path: `bpf.${name}`,
    value: ({ cilium }) => cilium.bpf[name],
    options: [option],
    field: `cilium.bpf.${name}`,
    impact: "resized",
  };
}

export const encryption: CiliumValue[] = [
  {
    path: "encryption.enabled",
    value: ({ cilium }) => cilium.encryption.enabled,
    options: ["enable-wireguard"],
    field: "cilium.encryption.enabled",
  },
  {
    path: "encryption.type",
    value: ({ cilium: { encryption } }) => (encryption.enabled ? encryption.type : undefined),
    field: "cilium.encryption.type",
    why: "the chart's own default is IPsec",
  },
  {
    path: "encryption.nodeEncryption",
    value: ({ cilium: { encryption } }) =>
      encryption.enabled ? encryption.nodeEncryption : undefined,
    options: ["encrypt-node"],
    field: "cilium.encryption.nodeEncryption",
  },
];

export const hubble: CiliumValue[] = [
  {
    path: "hubble.enabled",
    value: ({ cilium }) => cilium.hubble.enabled,
    options: ["enable-hubble"],
    field: "cilium.hubble.enabled",
  },
  {
    path: "hubble.relay.enabled",
    reaches: "hubble.relay",
    value: ({ cilium: { hubble } }) => (hubble.enabled ? hubble.relay.enabled : undefined),
    field: "cilium.hubble.relay.enabled",
    impact: "relay",
    directives: [
      {
        article: "002",
        says: "hubble observe --verdict DROPPED --namespace finance -f",
        why: "Applied: the relay has the flows of all nodes; without it a command sees those of one.",
      },
    ],
  },
  {
    path: "hubble.relay.rollOutPods",
    value: ({ cilium: { hubble } }) => (hubble.enabled && hubble.relay.enabled ? true : undefined),
    why: "a changed value would not reach the relay",
    impact: "relay",
  },
  {
    path: "hubble.metrics.enabled",
    value: ({ cilium: { hubble } }) =>
      hubble.enabled && hubble.metrics.enabled.length > 0 ? hubble.metrics.enabled : undefined,
    options: ["hubble-metrics"],
    field: "cilium.hubble.metrics.enabled",
  },
  {
    path: "hubble.tls.auto.method",
    value: ({ cilium: { hubble } }) => (hubble.enabled ? "cronJob" : undefined),
    why: "the method helm makes new certificates at every render: a plan that never is empty",
  },
];

/** Policies hold. What would end that is refused, by whatever name. */
export const policies: CiliumValue[] = [
  {
    path: "policyEnforcementMode",
    value: () => "default",
    options: ["enable-policy"],
    why: "policies hold for the pods that they select; never would switch them off",
  },
  {
    path: "policyAuditMode",
    options: ["policy-audit-mode"],
    why: "policies hold; in audit mode what they forbid would only be logged",
  },
  {
    path: "k8sNetworkPolicy.enabled",
    options: [
      "enable-k8s-networkpolicy",
      "enable-cilium-network-policy",
      "enable-cilium-clusterwide-network-policy",
      "allow-localhost",
    ],
    why: "policies hold, those of Kubernetes' own kind as well",
  },
  { path: "customConf", why: "the agents take their options from the chart" },
  { path: "agent", why: "the agents are the cluster's network" },
  { path: "operator.enabled", why: "the operator gives the nodes their addresses" },
];

export const operations: CiliumValue[] = [
  {
    path: "cluster.name",
    value: ({ cluster }) => cluster.name,
    options: ["cluster-name"],
    field: "cluster.name",
    impact: "routed",
  },
  {
    path: "operator.replicas",
    value: ({ cilium }) => cilium.operatorReplicas,
    field: "cilium.operatorReplicas",
    why: "more than nodes would leave one Pending for good",
    impact: "operator",
  },
  {
    path: "rollOutCiliumPods",
    value: () => true,
    why: "a changed value would not reach the agents",
  },
  {
    path: "operator.rollOutPods",
    value: () => true,
    why: "the operator looks for the Gateway API's CRDs at its start alone",
  },
];
