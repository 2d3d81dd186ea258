import type { Config } from "../config/config.ts";
import type { Setting } from "./cilium-settings.ts";

/** Helm values of what stands beside the datapath: sizes, encryption, Hubble, addresses of services. */
export function featureSettings(config: Config): Setting[] {
  return [
    ...maps(config),
    ...encryption(config),
    ...hubble(config),
    ...serviceAddresses(config),
    ...localRedirects(config),
    { path: "policyEnforcementMode", value: "default", why: "policies hold where they select" },
  ];
}

function maps({ cilium: { bpf } }: Config): Setting[] {
  const sizes = (["ctTcpMax", "ctAnyMax", "natMax"] as const).flatMap((key): Setting[] =>
    bpf[key] === undefined ? [] : [{ path: `bpf.${key}`, value: bpf[key] }],
  );
  return [
    {
      path: "bpf.mapDynamicSizeRatio",
      value: bpf.mapDynamicSizeRatio,
      directives: [
        {
          seed: "003",
          says: "monitoring conntrack usage is mandatory; table exhaustion",
          why: "Applied: under BPF host routing pod flows are in Cilium's own maps, which grow with the node's memory.",
        },
      ],
    },
    ...sizes,
    {
      path: "bpf.lbMapMax",
      value: bpf.lbMapMax,
      directives: [
        {
          seed: "001",
          says: "5,000 services (004 too)",
          why: "Applied: the chart's own 65536 entries are full at 5,000 services with twelve backends and one address each.",
        },
      ],
    },
  ];
}

function encryption({ cilium: { encryption } }: Config): Setting[] {
  const { enabled, type, nodeEncryption } = encryption;
  if (!enabled) return [{ path: "encryption.enabled", value: false }];
  return [
    { path: "encryption.enabled", value: true },
    { path: "encryption.type", value: type, why: "the chart's own default is IPsec" },
    { path: "encryption.nodeEncryption", value: nodeEncryption },
  ];
}

function hubble({ cilium: { hubble } }: Config): Setting[] {
  if (!hubble.enabled) return [{ path: "hubble.enabled", value: false }];
  return [
    { path: "hubble.enabled", value: true },
    {
      path: "hubble.relay.enabled",
      value: hubble.relay.enabled,
      directives: [
        {
          seed: "002",
          says: "hubble observe --verdict DROPPED --namespace finance -f",
          why: "Applied: the relay has the flows of all nodes; without it a command sees those of one.",
        },
      ],
    },
    ...(hubble.relay.enabled
      ? [
          {
            path: "hubble.relay.rollOutPods",
            value: true,
            why: "a changed value reaches the relay",
          },
        ]
      : []),
    ...(hubble.metrics.enabled.length > 0
      ? [{ path: "hubble.metrics.enabled", value: hubble.metrics.enabled }]
      : []),
    {
      path: "hubble.tls.auto.method",
      value: "cronJob",
      why: "the method helm makes new certificates at every render: a plan that never is empty",
    },
  ];
}

function serviceAddresses({ cilium }: Config): Setting[] {
  const { l2announcements: l2, bgpControlPlane: bgp, k8sClientRateLimit } = cilium;
  const leases: Setting[] = [
    { path: "l2announcements.leaseDuration", value: `${l2.leaseDurationSeconds}s` },
    { path: "l2announcements.leaseRenewDeadline", value: `${l2.leaseRenewDeadlineSeconds}s` },
    { path: "l2announcements.leaseRetryPeriod", value: `${l2.leaseRetryPeriodSeconds}s` },
  ];
  return [
    { path: "enableLBIPAM", value: true, why: "pools and gateways take addresses from it" },
    { path: "l2announcements.enabled", value: l2.enabled },
    ...(l2.enabled ? leases : []),
    {
      path: "bgpControlPlane.enabled",
      value: bgp.enabled,
      directives: [
        {
          seed: "003",
          says: "BGP directly between the nodes",
          why: "Corrected: on one L2 segment autoDirectNodeRoutes gives the nodes each other's routes with fewer parts. BGP is for routers: cilium.bgpControlPlane, off by default.",
        },
      ],
    },
    {
      path: "k8sClientRateLimit.qps",
      value: k8sClientRateLimit.qps,
      why: "each announced service is a lease that its node renews",
    },
    { path: "k8sClientRateLimit.burst", value: k8sClientRateLimit.burst },
  ];
}

function localRedirects({ cilium }: Config): Setting[] {
  return [
    {
      path: "localRedirectPolicies.enabled",
      value: cilium.localRedirectPolicies.enabled,
      directives: [
        {
          seed: "002",
          says: "DNS over 50ms: check your NodeLocal DNSCache settings",
          why: "Offered: cilium.nodeLocalDns. Without kube-proxy it needs a local redirect policy and a cache outside the host's network; off until the latency asks for it.",
        },
      ],
    },
  ];
}
