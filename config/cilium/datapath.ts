import { apiBalancerAddress, apiBalancerPort } from "../ports.ts";
import type { CiliumValue } from "./value.ts";

/** The cluster has no kube-proxy: Cilium serves Services, and finds the API server without them. */
export const kubeProxyFree: CiliumValue[] = [
  {
    path: "kubeProxyReplacement",
    value: () => true,
    options: ["kube-proxy-replacement"],
    why: "the cluster has no kube-proxy",
    directives: [
      {
        article: "000",
        says: 'kubeProxyReplacement: "strict"',
        why: "Corrected: the chart takes true or false and fails on strict; true is what strict was.",
      },
      {
        article: "004",
        says: "kube-proxy-replacement strict mode, bypass netfilter for east-west traffic",
        why: "Applied, together with BPF host routing.",
      },
    ],
  },
  {
    path: "k8sServiceHost",
    value: apiBalancerAddress,
    why: "it is the node's own balancer",
    impact: "routed",
    directives: [
      {
        article: "000",
        says: 'k8sServiceHost: "10.96.0.1"',
        why: "Corrected: nothing serves ClusterIPs before Cilium does, so the agent would wait for itself. The node's own balancer instead, which leaves a dead API server within seconds.",
      },
      {
        article: "003",
        says: 'k8sServiceHost: "API_SERVER_IP"',
        why: "Corrected: one API server's address dies with it. The node's own balancer has them all.",
      },
    ],
  },
  {
    path: "k8sServicePort",
    value: () => apiBalancerPort,
    why: "it is the node's own balancer",
    impact: "routed",
    directives: [
      {
        article: "000",
        says: 'k8sServicePort: "443"',
        why: "Corrected with the host: the balancer's port.",
      },
    ],
  },
];

/** BPF in the place of netfilter on the nodes. */
export const hostDatapath: CiliumValue[] = [
  {
    path: "bpf.masquerade",
    value: () => true,
    options: ["enable-bpf-masquerade"],
    why: "without it BPF host routing silently falls back to the legacy path",
    directives: [
      {
        article: "all",
        says: "bpf.masquerade: true",
        why: "Applied: without it BPF host routing silently falls back to the legacy path.",
      },
    ],
  },
  ...([4, 6] as const).map(
    (of): CiliumValue => ({
      path: `enableIPv${of}Masquerade`,
      value: ({ network }) => network.families.includes(of),
      options: [`enable-ipv${of}-masquerade`],
      why: "pods reach the world through their node's address",
    }),
  ),
  {
    path: "bpf.hostLegacyRouting",
    value: () => false,
    options: ["enable-host-legacy-routing"],
    why: "packets take BPF host routing",
    directives: [{ article: "000", says: "bpf.hostLegacyRouting: false", why: "Applied." }],
  },
  {
    path: "bpf.tproxy",
    value: () => false,
    options: ["enable-bpf-tproxy"],
    why: "the Gateway's load balancing fails with it at run time",
    directives: [
      {
        article: "000",
        says: "bpf.tproxy: true (also 003)",
        why: "Not applied: beta, and L7 egress, the DNS proxy and the Gateway's load balancing fail with it at run time (cilium#47896).",
      },
    ],
  },
  {
    path: "socketLB.hostNamespaceOnly",
    owns: "socketLB",
    value: ({ cilium }) => cilium.socketLB.hostNamespaceOnly,
    options: ["bpf-lb-sock-hostns-only"],
    field: "cilium.socketLB",
    why: "the Gateway API forces true: weights and policies see what the socket would hide",
  },
  {
    path: "bandwidthManager.enabled",
    owns: "bandwidthManager",
    value: ({ cilium }) => cilium.bandwidthManager.enabled,
    options: ["enable-bandwidth-manager"],
    field: "cilium.bandwidthManager",
  },
  {
    path: "bandwidthManager.bbr",
    owns: "bandwidthManager",
    value: ({ cilium }) => cilium.bandwidthManager.bbr,
    options: ["enable-bbr"],
    field: "cilium.bandwidthManager",
  },
  {
    path: "l7Proxy",
    value: ({ cilium }) => cilium.l7Proxy,
    options: ["enable-l7-proxy"],
    field: "cilium.l7Proxy",
    directives: [
      {
        article: "003",
        says: "l7Proxy: false",
        why: "Not applied by default: the Gateway API, L7 policies and toFQDNs, which the articles ask for as well, need it. Configurable, and refused together with the Gateway API.",
      },
    ],
  },
];
