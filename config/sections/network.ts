import { z } from "zod";
import { field } from "../field.ts";
import { address, cidrPerFamily } from "../formats.ts";

export const network = z.strictObject({
  vlan: z.strictObject({
    id: field(
      z
        .int("not a whole number; write 1 to 4094")
        .min(1, "no such VLAN; write 1 to 4094")
        .max(4094, "no such VLAN; write 1 to 4094")
        .optional(),
      "impossible",
      "The VLAN's id (IEEE 802.1Q), tagged on the hypervisors' uplinks; needed with nodes.libvirt alone. Default: none.",
    ),
    subnets: field(
      cidrPerFamily,
      "impossible",
      "The private VLAN's subnets. Two (IPv4 and IPv6) make a dual-stack cluster.",
    ),
    gateways: field(
      z.array(address).max(2, "too many; one per family").default([]),
      "none",
      "Addresses of the VLAN's routers, which no node may have. Default: none.",
    ),
    interface: field(
      z
        .string()
        .regex(/^[A-Za-z0-9_.:-]{1,15}$/, "not an interface name; write one such as eth1")
        .default("eth0"),
      "restart",
      "The nodes' interface on the VLAN. Cilium's devices and the gates use it.",
    ),
  }),
  mtu: field(
    z
      .int("not a whole number; write bytes")
      .min(1280, "below IPv6's minimum; write 1280 or more")
      .max(9216, "above any jumbo frame; write 9216 or less")
      .default(1500),
    "restart",
    "MTU of the VLAN in bytes, checked on each interface and on the path between nodes.",
  ),
  podSubnets: field(
    cidrPerFamily.optional(),
    "impossible",
    "Where pods get addresses, routed natively. Default: 10.244.0.0/16, with dual stack also fd00:10:244::/56.",
  ),
  serviceSubnets: field(
    cidrPerFamily.optional(),
    "impossible",
    "Where services get addresses. Default: 10.96.0.0/16, with dual stack also fd00:10:96::/112.",
  ),
  nodeMaskSizes: z
    .strictObject({
      ipv4: field(
        z.int().min(16).max(28).default(24),
        "impossible",
        "Prefix length of each node's share of the IPv4 pod subnet.",
      ),
      ipv6: field(
        z.int().min(48).max(120).default(64),
        "impossible",
        "Prefix length of each node's share of the IPv6 pod subnet.",
      ),
    })
    .prefault({}),
});
