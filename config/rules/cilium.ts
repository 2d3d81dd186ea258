import type { Rule } from "../rule.ts";

/** What WireGuard takes off the MTU, as the agent reckons it, and the least that IPv6 allows. */
const [wireguardOverhead, leastIpv6Mtu] = [95, 1280];

/** Pairs of settings that Cilium refuses, or takes and then does something else. */
export const contradictions: Rule = function* ({ cilium, gatewayApi, network, nodes }) {
  if (!cilium.l7Proxy && gatewayApi.enabled) {
    yield {
      path: "cilium.l7Proxy",
      value: false,
      why: "the Gateway API is served by Envoy, and the chart fails without it",
      fix: "write true, or gatewayApi.enabled: false",
    };
  }
  if (!cilium.socketLB.hostNamespaceOnly && gatewayApi.enabled) {
    yield {
      path: "cilium.socketLB.hostNamespaceOnly",
      value: false,
      why: "the Gateway API forces true, whatever is written here",
      fix: "remove it, or write gatewayApi.enabled: false",
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
  if (cilium.operatorReplicas > nodes.length) {
    yield {
      path: "cilium.operatorReplicas",
      value: cilium.operatorReplicas,
      why: `the cluster has ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}, and each takes one: the rest would stay Pending`,
      fix: `write ${nodes.length} or less`,
    };
  }
  const encrypted = cilium.encryption;
  if (encrypted.nodeEncryption && !encrypted.enabled) {
    yield {
      path: "cilium.encryption.nodeEncryption",
      value: true,
      why: "nothing is encrypted while encryption.enabled is false",
      fix: "write encryption.enabled: true, or nodeEncryption: false",
    };
  }
  if (encrypted.nodeEncryption && cilium.loadBalancer.acceleration !== "disabled") {
    yield {
      path: "cilium.loadBalancer.acceleration",
      value: cilium.loadBalancer.acceleration,
      why: "XDP redirects packets before WireGuard's node encryption sees them: they would leave in clear",
      fix: "write disabled, or encryption.nodeEncryption: false",
    };
  }
  const least = leastIpv6Mtu + wireguardOverhead;
  if (encrypted.enabled && network.families.includes(6) && network.mtu < least) {
    yield {
      path: "network.mtu",
      value: network.mtu,
      why: `WireGuard takes ${wireguardOverhead} bytes off, and IPv6 needs ${leastIpv6Mtu}`,
      fix: `write ${least} or more, or cilium.encryption.enabled: false`,
    };
  }
};

/** What the ratio gives the smallest node. */
const [leastCtTcp, leastCtAny] = [131_072, 65_536];

/**
 * The NAT map holds translations of tracked connections; the agent does not start with more of them
 * than connections. What follows from a node's memory may be as little as the ratio's least.
 */
export const mapSizes: Rule = function* ({ cilium: { bpf } }) {
  const { ctTcpMax = leastCtTcp, ctAnyMax = leastCtAny, natMax = 0 } = bpf;
  const most = ctTcpMax + ctAnyMax;
  if (natMax <= most) return;
  const fromRatio = bpf.ctTcpMax === undefined || bpf.ctAnyMax === undefined;
  yield {
    path: "cilium.bpf.natMax",
    value: natMax,
    why: `more than ctTcpMax and ctAnyMax together (${most}${fromRatio ? " on a small node, where they follow from its memory" : ""}): the agent does not start`,
    fix: `write ${most} or less${fromRatio ? ", or give both of them" : ""}; two thirds of it is Cilium's own measure`,
  };
};

/** Hubble's parts need Hubble, and its two HTTP metrics exclude each other. */
export const hubbleParts: Rule = function* ({ cilium: { hubble } }) {
  const needs = (path: string, value: unknown) => ({
    path: `cilium.hubble.${path}`,
    value,
    why: "there are no flows while hubble.enabled is false",
    fix: "write hubble.enabled: true, or remove it",
  });
  if (!hubble.enabled && hubble.relay.enabled) yield needs("relay.enabled", true);
  const metrics = hubble.metrics.enabled;
  if (!hubble.enabled && metrics.length > 0) yield needs("metrics.enabled", metrics);
  const names = metrics.map((metric) => metric.split(/[:;]/)[0]);
  if (names.includes("http") && names.includes("httpV2")) {
    yield {
      path: "cilium.hubble.metrics.enabled",
      value: metrics,
      why: "http and httpV2 register the same metrics: the agent takes one of them",
      fix: "remove http",
    };
  }
};

/** The cache takes the name server's place by a local redirect policy. */
export const nodeLocalDns: Rule = function* ({ cilium }) {
  if (!cilium.nodeLocalDns.enabled || cilium.localRedirectPolicies.enabled) return;
  yield {
    path: "cilium.localRedirectPolicies.enabled",
    value: false,
    why: "NodeLocal DNSCache is reached by a CiliumLocalRedirectPolicy: without kube-proxy there is no other way",
    fix: "write true, or nodeLocalDns.enabled: false",
  };
};
