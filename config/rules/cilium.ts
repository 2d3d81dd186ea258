import type { Rule } from "../rule.ts";

/** Pairs of settings that Cilium refuses, or takes and then does something else. */
export const contradictions: Rule = function* ({ cilium, gatewayApi }) {
  if (!cilium.l7Proxy && gatewayApi.enabled) {
    yield {
      path: "cilium.l7Proxy",
      value: false,
      why: "the Gateway API is served by Envoy, and the chart fails without it",
      fix: "write true, or gatewayApi.enabled: false",
    };
  }
  const { enabled, bbr } = cilium.bandwidthManager;
  if (bbr && !enabled) {
    yield {
      path: "cilium.bandwidthManager.bbr",
      value: true,
      why: "BBR for pods needs the bandwidth manager",
      fix: "write enabled: true, or bbr: false",
    };
  }
  if (enabled && !bbr) {
    yield {
      path: "cilium.bandwidthManager.bbr",
      value: false,
      why: "the bandwidth manager without BBR sets the host's congestion control to cubic, over the sysctl bbr",
      fix: "write true, or enabled: false",
    };
  }
};

/** Raw values may add to what the plan sets, not undo it: each path that the plan sets, and why. */
const owned: Record<string, string> = {
  kubeProxyReplacement: "the cluster has no kube-proxy",
  k8sServiceHost: "it is cluster.endpoint",
  k8sServicePort: "it is cluster.endpoint",
  routingMode: "the cluster routes natively; DSR by IP option needs that",
  tunnelProtocol: "the cluster routes natively",
  tunnel: "Cilium has no such key since 1.15; the cluster routes natively",
  autoDirectNodeRoutes: "the nodes share one L2 segment",
  "ipv4.enabled": "it follows from network.vlan.subnets",
  "ipv6.enabled": "it follows from network.vlan.subnets",
  ipv4NativeRoutingCIDR: "it is network.podSubnets",
  ipv6NativeRoutingCIDR: "it is network.podSubnets",
  ipam: "it is network.podSubnets",
  "nodePort.directRoutingDevice": "it is network.vlan.interface",
  MTU: "it is network.mtu",
  "loadBalancer.mode": "it is cilium.loadBalancer.mode",
  "loadBalancer.dsrDispatch": "it is cilium.loadBalancer.dsrDispatch",
  "loadBalancer.acceleration": "it is cilium.loadBalancer.acceleration",
  "bpf.masquerade": "without it BPF host routing silently falls back to the legacy path",
  "bpf.hostLegacyRouting": "packets take BPF host routing",
  "bpf.tproxy": "the Gateway's load balancing fails with it at run time",
  enableIPv4Masquerade: "pods reach the world through their node's address",
  enableIPv6Masquerade: "pods reach the world through their node's address",
  bandwidthManager: "it is cilium.bandwidthManager",
  l7Proxy: "it is cilium.l7Proxy",
  "cluster.name": "it is cluster.name",
  "operator.replicas": "it is cilium.operatorReplicas",
  "operator.rollOutPods": "the operator looks for the Gateway API's CRDs at its start alone",
  rollOutCiliumPods: "a changed value would not reach the agents",
  "hubble.tls.auto.method": "helm's own method makes other certificates at every render",
  "gatewayAPI.enabled": "it is gatewayApi.enabled",
  "gatewayAPI.gatewayClass.create": "it is gatewayApi.enabled",
  "gatewayAPI.hostNetwork.enabled": "Envoy listens on the nodes themselves",
  "envoy.securityContext.capabilities": "Envoy listens on ports below 1024",
};

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
  const encryption = cilium.values.encryption as { nodeEncryption?: boolean } | undefined;
  if (encryption?.nodeEncryption && cilium.loadBalancer.acceleration !== "disabled") {
    yield {
      path: "cilium.loadBalancer.acceleration",
      value: cilium.loadBalancer.acceleration,
      why: "XDP redirects packets before WireGuard's node encryption sees them: they would leave in clear",
      fix: "write disabled, or encryption.nodeEncryption: false",
    };
  }
};

/** What raw values have in the place of a path, also where they put something else than a map above it. */
function overriding(values: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined || typeof values !== "object" || values === null) return values;
  return overriding((values as Record<string, unknown>)[key], rest);
}
