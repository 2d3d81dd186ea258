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

/** Raw values may add to what the plan sets, not undo it. */
const owned: Record<string, string> = {
  kubeProxyReplacement: "the cluster has no kube-proxy",
  routingMode: "the cluster routes natively; DSR by IP option needs that",
  tunnelProtocol: "the cluster routes natively",
  ipv4NativeRoutingCIDR: "it is network.podSubnets",
  ipv6NativeRoutingCIDR: "it is network.podSubnets",
  autoDirectNodeRoutes: "the nodes share one L2 segment",
  k8sServiceHost: "it is cluster.endpoint",
  k8sServicePort: "it is cluster.endpoint",
  ipam: "it is network.podSubnets",
  l7Proxy: "it is cilium.l7Proxy",
  loadBalancer: "it is cilium.loadBalancer",
  bandwidthManager: "it is cilium.bandwidthManager",
  gatewayAPI: "it is gatewayApi",
  tunnel: "Cilium has no such key since 1.15; the cluster routes natively",
};

/** Raw Helm values against the plan's own. */
export const rawValues: Rule = function* ({ cilium }) {
  for (const [key, value] of Object.entries(cilium.values)) {
    const why = owned[key];
    if (why === undefined) continue;
    yield {
      path: `cilium.values.${key}`,
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
