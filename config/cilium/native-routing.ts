import type { Config } from "../config.ts";
import type { CiliumValue } from "./value.ts";

/** Pods' packets cross the VLAN as they are, without a tunnel. */
export const nativeRouting: CiliumValue[] = [
  {
    path: "routingMode",
    value: () => "native",
    options: ["routing-mode"],
    why: "the cluster routes natively; DSR by IP option or IPIP needs that",
    impact: "routed",
    directives: [
      {
        article: "all",
        says: "tunnel: disabled",
        why: "Corrected: the chart fails on tunnel; routingMode: native is its successor, and the default would be a tunnel.",
      },
    ],
  },
  {
    path: "tunnelProtocol",
    options: ["tunnel-protocol"],
    why: "the cluster routes natively; DSR cannot cross VXLAN",
  },
  {
    path: "tunnel",
    why: "Cilium has no such key since 1.15; the cluster routes natively",
  },
  {
    path: "autoDirectNodeRoutes",
    value: () => true,
    options: ["auto-direct-node-routes"],
    why: "the nodes share one L2 segment",
    directives: [
      {
        article: "all",
        says: "autoDirectNodeRoutes: true",
        why: "Applied: the nodes share one L2 segment, which the gates prove.",
      },
    ],
  },
  ...family(4),
  ...family(6),
  {
    path: "ipam.mode",
    owns: "ipam",
    reaches: "ipam",
    value: () => "kubernetes",
    options: ["ipam"],
    field: "network.podSubnets",
    why: "node shares of network.podSubnets, not Cilium's own 10.0.0.0/8",
    impact: "routed",
  },
  {
    path: "nodePort.directRoutingDevice",
    value: ({ network }) => network.vlan.interface,
    options: ["direct-routing-device"],
    field: "network.vlan.interface",
    why: "pods' packets cross the VLAN, not a public interface",
  },
  {
    path: "nodePort.autoProtectPortRange",
    options: ["enable-auto-protect-node-port-range"],
    why: "ip_local_port_range holds the NodePorts: without protection the agent does not start",
  },
  {
    path: "nodePort.range",
    why: "the nodes' ip_local_reserved_ports keep 30000 to 32767 free",
  },
  {
    path: "MTU",
    value: ({ network }) => network.mtu,
    options: ["mtu"],
    field: "network.mtu",
    directives: [
      {
        article: "001",
        says: "never assume the default MTU; the CNI's must match the host's",
        why: "Applied: one value for the gates (interface and path) and for Cilium. Native routing takes nothing off it.",
      },
    ],
  },
];

function family(of: 4 | 6): CiliumValue[] {
  const pods = ({ network }: Config) => network.podSubnets[network.families.indexOf(of)];
  return [
    {
      path: `ipv${of}.enabled`,
      value: (config) => pods(config) !== undefined,
      options: [`enable-ipv${of}`],
      why: "it follows from network.vlan.subnets",
      impact: "routed",
      ...(of === 6
        ? {
            directives: [
              {
                article: "000",
                says: "ipv6.enabled: true",
                why: "Applied where network.vlan.subnets has an IPv6 subnet: without one the agent does not start.",
              },
            ],
          }
        : {}),
    },
    {
      path: `ipv${of}NativeRoutingCIDR`,
      value: pods,
      options: [`ipv${of}-native-routing-cidr`],
      field: "network.podSubnets",
      impact: "routed",
      directives: [
        {
          article: "001",
          says: "ipv4.nativeRoutingCIDR=10.0.0.0/8 (004: 10.0.0.0/16)",
          why: "Corrected: that key is ignored silently, and everything in 10.0.0.0/8, the VLAN too, would leave without masquerade. The pod subnet of each family instead.",
        },
      ],
    },
  ];
}
