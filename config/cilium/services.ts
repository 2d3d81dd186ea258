import type { CiliumValue } from "./value.ts";

/** How answers of Services leave, and how packets for them arrive. */
export const loadBalancing: CiliumValue[] = [
  {
    path: "loadBalancer.mode",
    value: ({ cilium }) => cilium.loadBalancer.mode,
    options: ["bpf-lb-mode"],
    field: "cilium.loadBalancer.mode",
    directives: [
      {
        article: "all",
        says: "loadBalancer.mode: dsr",
        why: "Applied. The IP option adds 8 bytes (24 for IPv6) to a SYN and to every UDP packet: with full-size UDP take hybrid. That the network lets it pass is proven by packets between the nodes before Cilium is installed; where it does not, dsr is refused, or snat taken (fallback).",
      },
    ],
  },
  {
    path: "loadBalancer.dsrDispatch",
    value: ({ cilium: { loadBalancer } }) =>
      loadBalancer.mode === "snat" ? undefined : loadBalancer.dsrDispatch,
    options: ["bpf-lb-dsr-dispatch"],
    field: "cilium.loadBalancer.dsrDispatch",
  },
  {
    path: "pmtuDiscovery.enabled",
    value: () => true,
    options: ["enable-pmtu-discovery"],
    why: "a client must learn that a full-size datagram has no room for DSR's option, or it is lost in silence",
  },
  {
    path: "loadBalancer.acceleration",
    value: ({ cilium }) => cilium.loadBalancer.acceleration,
    options: ["bpf-lb-acceleration"],
    field: "cilium.loadBalancer.acceleration",
    directives: [
      {
        article: "000",
        says: 'loadBalancer.acceleration: "native"',
        why: "Corrected: native fails where one device refuses XDP, as virtio-net does with too few queues; best-effort runs without XDP there.",
      },
    ],
  },
];

/** Where Services take addresses from outside the cluster, and who answers for these. */
export const serviceAddresses: CiliumValue[] = [
  {
    path: "enableLBIPAM",
    value: () => true,
    options: ["enable-lb-ipam"],
    why: "cilium.loadBalancerIPPools and gateways take their addresses from it",
  },
  {
    path: "l2announcements.enabled",
    value: ({ cilium }) => cilium.l2announcements.enabled,
    options: ["enable-l2-announcements"],
    field: "cilium.l2announcements.enabled",
  },
  lease("leaseDuration", "leaseDurationSeconds", "l2-announcements-lease-duration"),
  lease("leaseRenewDeadline", "leaseRenewDeadlineSeconds", "l2-announcements-renew-deadline"),
  lease("leaseRetryPeriod", "leaseRetryPeriodSeconds", "l2-announcements-retry-period"),
  {
    path: "bgpControlPlane.enabled",
    value: ({ cilium }) => cilium.bgpControlPlane.enabled,
    options: ["enable-bgp-control-plane"],
    field: "cilium.bgpControlPlane.enabled",
    directives: [
      {
        article: "003",
        says: "BGP directly between the nodes",
        why: "Corrected: on one L2 segment autoDirectNodeRoutes gives the nodes each other's routes with fewer parts. BGP is for routers: cilium.bgpControlPlane, off by default.",
      },
    ],
  },
  {
    path: "k8sClientRateLimit.qps",
    value: ({ cilium }) => cilium.k8sClientRateLimit.qps,
    options: ["k8s-client-qps"],
    field: "cilium.k8sClientRateLimit.qps",
    why: "each announced service is a lease that its node renews",
  },
  {
    path: "k8sClientRateLimit.burst",
    value: ({ cilium }) => cilium.k8sClientRateLimit.burst,
    options: ["k8s-client-burst"],
    field: "cilium.k8sClientRateLimit.burst",
  },
  {
    path: "localRedirectPolicies.enabled",
    value: ({ cilium }) => cilium.localRedirectPolicies.enabled,
    options: ["enable-local-redirect-policy"],
    field: "cilium.localRedirectPolicies.enabled",
    directives: [
      {
        article: "002",
        says: "DNS over 50ms: check your NodeLocal DNSCache settings",
        why: "Offered: cilium.nodeLocalDns. Without kube-proxy it needs a local redirect policy and a cache outside the host's network; off until the latency asks for it.",
      },
    ],
  },
  {
    path: "localRedirectPolicy",
    why: "the chart calls it localRedirectPolicies; it is a field here",
  },
];

function lease(
  name: string,
  field: "leaseDurationSeconds" | "leaseRenewDeadlineSeconds" | "leaseRetryPeriodSeconds",
  option: string,
): CiliumValue {
  return {
    path: `l2announcements.${name}`,
    value: ({ cilium: { l2announcements } }) =>
      l2announcements.enabled ? `${l2announcements[field]}s` : undefined,
    options: [option],
    field: `cilium.l2announcements.${field}`,
  };
}

/** The Gateway API, on the nodes' own addresses or on addresses of pools. */
export const gatewayApi: CiliumValue[] = [
  {
    path: "gatewayAPI.enabled",
    value: (config) => config.gatewayApi.enabled,
    options: ["enable-gateway-api"],
    field: "gatewayApi.enabled",
    directives: [
      {
        article: "003",
        says: "Gateway API (v1.1) instead of Ingress",
        why: "Applied at v1.6.1, which Cilium 1.20 asks for; the CRDs are there before Cilium, or its operator turns the controller off.",
      },
    ],
  },
  {
    path: "gatewayAPI.gatewayClass.create",
    value: (config) => (config.gatewayApi.enabled ? "true" : undefined),
    field: "gatewayApi.enabled",
    why: "auto looks at the cluster at render time, before the CRDs",
  },
  {
    path: "gatewayAPI.hostNetwork.enabled",
    value: ({ gatewayApi: { enabled, exposure } }) =>
      enabled ? exposure === "hostNetwork" : undefined,
    options: ["gateway-api-hostnetwork-enabled"],
    field: "gatewayApi.exposure",
    why: "without a load balancer Envoy listens on the nodes themselves",
  },
  {
    path: "gatewayAPI.externalTrafficPolicy",
    value: (config) => (config.gatewayApi.enabled ? "Cluster" : undefined),
    options: ["gateway-api-service-externaltrafficpolicy"],
    why: "with Local, L2 announcements of 1.20 skip a Gateway's service (cilium#46399)",
  },
  privilegedPorts("keepCapNetBindService", true),
  // The chart's two, and the one for ports below 1024.
  privilegedPorts("envoy", ["NET_ADMIN", "SYS_ADMIN", "NET_BIND_SERVICE"]),
];

function privilegedPorts(name: string, value: unknown): CiliumValue {
  return {
    path: `envoy.securityContext.capabilities.${name}`,
    owns: "envoy.securityContext.capabilities",
    value: ({ gatewayApi: { enabled, exposure } }) =>
      enabled && exposure === "hostNetwork" ? value : undefined,
    why: "Envoy listens on ports below 1024",
  };
}
