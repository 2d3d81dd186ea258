import type { Rule } from "../rule.ts";

/** Raw values may add to what the plan sets, not undo it: each path that the plan sets, and why. */
const owned: Record<string, string> = {
  kubeProxyReplacement: "the cluster has no kube-proxy",
  k8sServiceHost: "it is cluster.endpoint",
  k8sServicePort: "it is cluster.endpoint",
  routingMode: "the cluster routes natively; DSR by IP option or IPIP needs that",
  tunnelProtocol: "the cluster routes natively; DSR cannot go over VXLAN",
  tunnel: "Cilium has no such key since 1.15; the cluster routes natively",
  autoDirectNodeRoutes: "the nodes share one L2 segment",
  "ipv4.enabled": "it follows from network.vlan.subnets",
  "ipv6.enabled": "it follows from network.vlan.subnets",
  ipv4NativeRoutingCIDR: "it is network.podSubnets",
  ipv6NativeRoutingCIDR: "it is network.podSubnets",
  ipam: "it is network.podSubnets",
  "nodePort.directRoutingDevice": "it is network.vlan.interface",
  "nodePort.autoProtectPortRange":
    "ip_local_port_range holds the NodePorts: without protection the agent does not start",
  "nodePort.range": "the nodes' ip_local_reserved_ports keep 30000 to 32767 free",
  MTU: "it is network.mtu",
  "loadBalancer.mode": "it is cilium.loadBalancer.mode",
  "loadBalancer.dsrDispatch": "it is cilium.loadBalancer.dsrDispatch",
  "pmtuDiscovery.enabled": "without it full-size datagrams are lost in silence under DSR",
  "loadBalancer.acceleration": "it is cilium.loadBalancer.acceleration",
  "bpf.masquerade": "without it BPF host routing silently falls back to the legacy path",
  "bpf.hostLegacyRouting": "packets take BPF host routing",
  "bpf.tproxy": "the Gateway's load balancing fails with it at run time",
  "bpf.mapDynamicSizeRatio": "it is cilium.bpf.mapDynamicSizeRatio",
  "bpf.ctTcpMax": "it is cilium.bpf.ctTcpMax",
  "bpf.ctAnyMax": "it is cilium.bpf.ctAnyMax",
  "bpf.natMax": "it is cilium.bpf.natMax",
  "bpf.lbMapMax": "it is cilium.bpf.lbMapMax",
  socketLB: "it is cilium.socketLB",
  "encryption.enabled": "it is cilium.encryption.enabled",
  "encryption.type": "it is cilium.encryption.type",
  "encryption.nodeEncryption": "it is cilium.encryption.nodeEncryption",
  enableIPv4Masquerade: "pods reach the world through their node's address",
  enableIPv6Masquerade: "pods reach the world through their node's address",
  bandwidthManager: "it is cilium.bandwidthManager",
  policyEnforcementMode: "policies hold for the pods that they select; never would switch them off",
  enableLBIPAM: "cilium.loadBalancerIPPools and gateways take their addresses from it",
  l7Proxy: "it is cilium.l7Proxy",
  "cluster.name": "it is cluster.name",
  "operator.replicas": "it is cilium.operatorReplicas",
  "operator.rollOutPods": "the operator looks for the Gateway API's CRDs at its start alone",
  rollOutCiliumPods: "a changed value would not reach the agents",
  "l2announcements.enabled": "it is cilium.l2announcements.enabled",
  "l2announcements.leaseDuration": "it is cilium.l2announcements.leaseDurationSeconds",
  "l2announcements.leaseRenewDeadline": "it is cilium.l2announcements.leaseRenewDeadlineSeconds",
  "l2announcements.leaseRetryPeriod": "it is cilium.l2announcements.leaseRetryPeriodSeconds",
  "bgpControlPlane.enabled": "it is cilium.bgpControlPlane.enabled",
  "k8sClientRateLimit.qps": "it is cilium.k8sClientRateLimit.qps",
  "k8sClientRateLimit.burst": "it is cilium.k8sClientRateLimit.burst",
  "localRedirectPolicies.enabled": "it is cilium.localRedirectPolicies.enabled",
  localRedirectPolicy: "the chart calls it localRedirectPolicies; it is a field here",
  "hubble.enabled": "it is cilium.hubble.enabled",
  "hubble.relay.enabled": "it is cilium.hubble.relay.enabled",
  "hubble.relay.rollOutPods": "a changed value would not reach the relay",
  "hubble.metrics.enabled": "it is cilium.hubble.metrics.enabled",
  "hubble.tls.auto.method": "helm's own method makes other certificates at every render",
  "gatewayAPI.enabled": "it is gatewayApi.enabled",
  "gatewayAPI.gatewayClass.create": "it is gatewayApi.enabled",
  "gatewayAPI.hostNetwork.enabled": "it is gatewayApi.exposure",
  "gatewayAPI.externalTrafficPolicy":
    "with Local, L2 announcements pass a Gateway's service over (cilium#46399)",
  "envoy.securityContext.capabilities": "Envoy listens on ports below 1024",
};

/**
 * The agent's own options for the same: the chart hands those on that stand in extraConfig, extraArgs
 * and extraEnv, and they would win.
 */
export const ownedOptions: readonly string[] = [
  ...["kube-proxy-replacement", "routing-mode", "tunnel-protocol", "auto-direct-node-routes"],
  ...["enable-ipv4", "enable-ipv6", "ipv4-native-routing-cidr", "ipv6-native-routing-cidr"],
  ...["ipam", "direct-routing-device", "mtu", "cluster-name", "enable-policy", "enable-lb-ipam"],
  ...["bpf-lb-mode", "bpf-lb-dsr-dispatch", "bpf-lb-acceleration", "bpf-lb-sock-hostns-only"],
  "enable-pmtu-discovery",
  ...["enable-bpf-masquerade", "enable-ipv4-masquerade", "enable-ipv6-masquerade"],
  ...["enable-host-legacy-routing", "enable-bpf-tproxy", "enable-auto-protect-node-port-range"],
  ...["bpf-map-dynamic-size-ratio", "bpf-ct-global-tcp-max", "bpf-ct-global-any-max"],
  ...["bpf-nat-global-max", "bpf-lb-map-max", "enable-bandwidth-manager", "enable-bbr"],
  ...["enable-l7-proxy", "enable-wireguard", "encrypt-node", "enable-hubble", "hubble-metrics"],
  ...["enable-l2-announcements", "l2-announcements-lease-duration"],
  ...["l2-announcements-renew-deadline", "l2-announcements-retry-period"],
  ...["enable-bgp-control-plane", "k8s-client-qps", "k8s-client-burst"],
  ...["enable-local-redirect-policy", "enable-gateway-api", "gateway-api-hostnetwork-enabled"],
  "gateway-api-service-externaltrafficpolicy",
];

/** Raw Helm values against the plan's own. */
export const rawValues: Rule = function* ({ cilium }) {
  for (const [path, why] of Object.entries(owned)) {
    const value = overriding(cilium.values, path.split("."));
    if (value === undefined) continue;
    yield {
      path: `cilium.values.${path}`,
      value,
      why: `the plan sets this: ${why}`,
      fix: "remove it here",
    };
  }
  for (const { path, option, value } of agentOptions(cilium.values)) {
    if (!ownedOptions.includes(option)) continue;
    yield {
      path: `cilium.values.${path}`,
      value,
      why: `the plan sets the agent's option ${option} through the chart, and this would win over it`,
      fix: "remove it here, and write the field that stands for it",
    };
  }
};

function agentOptions({ extraConfig, extraArgs, extraEnv }: Record<string, unknown>) {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  return [
    ...Object.entries(isMap(extraConfig) ? extraConfig : {}).map(([option, value]) => ({
      path: `extraConfig.${option}`,
      option,
      value,
    })),
    ...list(extraArgs).map((value, i) => ({
      path: `extraArgs[${i}]`,
      option: String(value).replace(/^-+/, "").replace(/=.*$/s, ""),
      value,
    })),
    ...list(extraEnv).map((value, i) => ({
      path: `extraEnv[${i}]`,
      option: isMap(value) ? optionOf(String(value.name)) : "",
      value,
    })),
  ];
}

/** The agent reads each option from its environment as well: CILIUM_ROUTING_MODE. */
function optionOf(variable: string): string {
  return variable
    .replace(/^CILIUM_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What raw values have in the place of a path, also where they put something else than a map above it. */
function overriding(values: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined || typeof values !== "object" || values === null) return values;
  return overriding((values as Record<string, unknown>)[key], rest);
}
