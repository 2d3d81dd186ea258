import type { Config } from "../config/config.ts";
import { featureSettings } from "./cilium-features.ts";
import type { Directive } from "./directive.ts";

/** One Helm value of the plan, with the reason that it stands here. */
export interface Setting {
  /** Dotted path in the chart's values. */
  path: string;
  value: unknown;
  why?: string;
  directives?: Directive[];
}

/** Every Helm value that the plan sets, by what it is for. */
export function settings(config: Config): Setting[] {
  return [
    ...kubeProxyFree(config),
    ...nativeRouting(config),
    ...loadBalancing(config),
    ...hostDatapath(config),
    ...featureSettings(config),
    ...operations(config),
    ...gatewayApi(config),
  ];
}

function kubeProxyFree({ cluster }: Config): Setting[] {
  return [
    {
      path: "kubeProxyReplacement",
      value: true,
      directives: [
        {
          seed: "000",
          says: 'kubeProxyReplacement: "strict"',
          why: "Corrected: the chart takes true or false and fails on strict; true is what strict was.",
        },
        {
          seed: "004",
          says: "kube-proxy-replacement strict mode, bypass netfilter for east-west traffic",
          why: "Applied, together with BPF host routing.",
        },
      ],
    },
    {
      path: "k8sServiceHost",
      value: cluster.endpoint.host,
      directives: [
        {
          seed: "000",
          says: 'k8sServiceHost: "10.96.0.1"',
          why: "Corrected: nothing serves ClusterIPs before Cilium does, so the agent would wait for itself. The API server's real endpoint instead.",
        },
        { seed: "003", says: 'k8sServiceHost: "API_SERVER_IP"', why: "Applied." },
      ],
    },
    {
      path: "k8sServicePort",
      value: cluster.endpoint.port,
      directives: [
        {
          seed: "000",
          says: 'k8sServicePort: "443"',
          why: "Corrected with the host: the API server's real port.",
        },
      ],
    },
  ];
}

function nativeRouting({ network }: Config): Setting[] {
  const cidr = (family: 4 | 6) => network.podSubnets[network.families.indexOf(family)];
  const perFamily = ([4, 6] as const).flatMap((family): Setting[] => {
    const pods = cidr(family);
    const enabled: Setting = { path: `ipv${family}.enabled`, value: pods !== undefined };
    if (family === 6) {
      enabled.directives = [
        {
          seed: "000",
          says: "ipv6.enabled: true",
          why: "Applied where network.vlan.subnets has an IPv6 subnet: without one the agent does not start.",
        },
      ];
    }
    if (pods === undefined) return [enabled];
    return [
      enabled,
      {
        path: `ipv${family}NativeRoutingCIDR`,
        value: pods,
        directives: [
          {
            seed: "001",
            says: "ipv4.nativeRoutingCIDR=10.0.0.0/8 (004: 10.0.0.0/16)",
            why: "Corrected: that key is ignored silently, and everything in 10.0.0.0/8, the VLAN too, would leave without masquerade. The pod subnet of each family instead.",
          },
        ],
      },
    ];
  });
  return [
    {
      path: "routingMode",
      value: "native",
      directives: [
        {
          seed: "all",
          says: "tunnel: disabled",
          why: "Corrected: the chart fails on tunnel; routingMode: native is its successor, and the default would be a tunnel.",
        },
      ],
    },
    {
      path: "autoDirectNodeRoutes",
      value: true,
      directives: [
        {
          seed: "all",
          says: "autoDirectNodeRoutes: true",
          why: "Applied: the nodes share one L2 segment, which the gates prove.",
        },
      ],
    },
    ...perFamily,
    {
      path: "ipam.mode",
      value: "kubernetes",
      why: "node shares of network.podSubnets, not Cilium's own 10.0.0.0/8",
    },
    {
      path: "nodePort.directRoutingDevice",
      value: network.vlan.interface,
      why: "pods' packets cross the VLAN, not a public interface",
    },
    {
      path: "MTU",
      value: network.mtu,
      directives: [
        {
          seed: "001",
          says: "never assume the default MTU; the CNI's must match the host's",
          why: "Applied: one value for the gates (interface and path) and for Cilium. Native routing takes nothing off it.",
        },
      ],
    },
  ];
}

function loadBalancing({ cilium }: Config): Setting[] {
  const { mode, dsrDispatch, acceleration } = cilium.loadBalancer;
  return [
    {
      path: "loadBalancer.mode",
      value: mode,
      directives: [
        {
          seed: "all",
          says: "loadBalancer.mode: dsr",
          why: "Applied. The IP option adds 8 bytes (24 for IPv6) to a SYN and to every UDP packet: with full-size UDP take hybrid. That the network lets it pass is proven by packets between the nodes before Cilium is installed; where it does not, dsr is refused, or snat taken (fallback).",
        },
      ],
    },
    ...(mode === "snat" ? [] : [{ path: "loadBalancer.dsrDispatch", value: dsrDispatch }]),
    {
      path: "pmtuDiscovery.enabled",
      value: true,
      why: "a client must be told that a full-size datagram has no room for DSR's option, or it is lost in silence",
    },
    {
      path: "loadBalancer.acceleration",
      value: acceleration,
      directives: [
        {
          seed: "000",
          says: 'loadBalancer.acceleration: "native"',
          why: "Corrected: native fails where one device refuses XDP, as virtio-net does with too few queues; best-effort runs without XDP there.",
        },
      ],
    },
  ];
}

function hostDatapath({ cilium, network }: Config): Setting[] {
  return [
    {
      path: "bpf.masquerade",
      value: true,
      directives: [
        {
          seed: "all",
          says: "bpf.masquerade: true",
          why: "Applied: without it BPF host routing silently falls back to the legacy path.",
        },
      ],
    },
    { path: "enableIPv4Masquerade", value: network.families.includes(4) },
    { path: "enableIPv6Masquerade", value: network.families.includes(6) },
    {
      path: "bpf.hostLegacyRouting",
      value: false,
      directives: [{ seed: "000", says: "bpf.hostLegacyRouting: false", why: "Applied." }],
    },
    {
      path: "bpf.tproxy",
      value: false,
      directives: [
        {
          seed: "000",
          says: "bpf.tproxy: true (also 003)",
          why: "Not applied: beta, and L7 egress, the DNS proxy and the Gateway's load balancing fail with it at run time (cilium#47896).",
        },
      ],
    },
    {
      path: "socketLB.hostNamespaceOnly",
      value: cilium.socketLB.hostNamespaceOnly,
      why: "the Gateway API forces true: weights and policies see what the socket would hide",
    },
    { path: "bandwidthManager.enabled", value: cilium.bandwidthManager.enabled },
    { path: "bandwidthManager.bbr", value: cilium.bandwidthManager.bbr },
    {
      path: "l7Proxy",
      value: cilium.l7Proxy,
      directives: [
        {
          seed: "003",
          says: "l7Proxy: false",
          why: "Not applied by default: the Gateway API, L7 policies and toFQDNs, which the articles ask for as well, need it. Configurable, and refused together with the Gateway API.",
        },
      ],
    },
  ];
}

function operations({ cilium, cluster }: Config): Setting[] {
  return [
    { path: "cluster.name", value: cluster.name },
    {
      path: "operator.replicas",
      value: cilium.operatorReplicas,
      why: "more than nodes would leave one Pending for good",
    },
    { path: "rollOutCiliumPods", value: true, why: "a changed value reaches the agents" },
    {
      path: "operator.rollOutPods",
      value: true,
      why: "the operator reads whether the Gateway API's CRDs are there at its start",
    },
  ];
}

function gatewayApi({ gatewayApi: { enabled, exposure } }: Config): Setting[] {
  if (!enabled) return [{ path: "gatewayAPI.enabled", value: false }];
  const onTheNodes = exposure === "hostNetwork";
  return [
    {
      path: "gatewayAPI.enabled",
      value: true,
      directives: [
        {
          seed: "003",
          says: "Gateway API (v1.1) instead of Ingress",
          why: "Applied at v1.6.1, which Cilium 1.20 asks for; the CRDs stand before Cilium, or its operator turns the controller off.",
        },
      ],
    },
    {
      path: "gatewayAPI.gatewayClass.create",
      value: "true",
      why: "auto looks at the cluster at render time, before the CRDs",
    },
    {
      path: "gatewayAPI.hostNetwork.enabled",
      value: onTheNodes,
      why: "without a load balancer Envoy listens on the nodes themselves",
    },
    {
      path: "gatewayAPI.externalTrafficPolicy",
      value: "Cluster",
      why: "with Local, L2 announcements of 1.20 pass a Gateway's service over (cilium#46399)",
    },
    ...(onTheNodes ? privilegedPorts : []),
  ];
}

const privilegedPorts: Setting[] = [
  {
    path: "envoy.securityContext.capabilities.keepCapNetBindService",
    value: true,
    why: "ports below 1024",
  },
  {
    path: "envoy.securityContext.capabilities.envoy",
    value: ["NET_ADMIN", "SYS_ADMIN", "NET_BIND_SERVICE"],
    why: "the chart's two and the one for ports below 1024",
  },
];
