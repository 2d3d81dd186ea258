import { z } from "zod";
import { field } from "../field.ts";
import { address, dnsLabel, hostname, port } from "../formats.ts";

export const cluster = z.strictObject({
  name: field(
    dnsLabel.max(32, "longer than Cilium takes; write at most 32 characters"),
    "impossible",
    "The cluster's name; every name on nodes derives from it.",
  ),
  region: field(
    z
      .string()
      .regex(/^[A-Z]{2}-[A-Z0-9-]+$/, "not a region; write COUNTRY-CITY-NUMBER, such as NO-OSL-1")
      .default("NO-OSL-1"),
    "restart",
    "Where the cluster is: the label topology.kubernetes.io/region, which nodes get as they join and keep, and the header X-Region. A change restarts the API server.",
  ),
  residency: field(
    z
      .enum(["NO", "EEA"], {
        error: ({ input }) =>
          input === false
            ? 'read as the boolean false, as YAML 1.1 does with a bare NO; write "NO" in quotes'
            : "not a residency; write NO or EEA",
      })
      .default("EEA"),
    "none",
    "The contract for where data may be kept: NO (Norway only) or EEA (what the GDPR treats as one area).",
  ),
  allowedPlaces: field(
    z
      .array(
        z
          .string()
          .regex(
            /^(\*\.)?[A-Za-z0-9.:/_-]+$/,
            "not a place; write a host name, *. and a domain, an address or a CIDR",
          ),
      )
      .optional(),
    "none",
    "What is in the residency: host names, `*.` and a domain, addresses and CIDRs. With a list, every address outside the cluster that this file or a resource names must be in it: time servers, mirrors, registries, resolvers, machines, and what network policies let pods call. Private addresses always may. Default: none, and nothing is compared.",
  ),
  endpoint: z
    .strictObject({
      host: field(
        hostname.optional(),
        "restart",
        "Name or address at which people and Pulumi reach the API server: a name, a load balancer of yours, or a control plane's address. Nodes do not use it: each has a balancer of its own. Default: the virtual address, or else the address of a control plane on the VLAN. A change restarts the API servers, with certificates for it.",
      ),
      port: field(port.default(6443), "impossible", "TCP port of the API server."),
      virtualAddress: z
        .strictObject({
          address: field(
            address,
            "restart",
            "An address of the VLAN that nobody has: keepalived gives it to one control plane whose API server is ready, and to another within 5 s. `up` first tries out whether the network lets control planes take it. A change restarts the API servers, with certificates for it.",
          ),
          routerId: field(
            z
              .int("not a whole number; write 1 to 255")
              .min(1, "no such VRRP router; write 1 to 255")
              .max(255, "no such VRRP router; write 1 to 255")
              .default(51),
            "restart",
            "Number of the VRRP router (RFC 9568) that the control planes are together; another VRRP router of the VLAN has another one.",
          ),
        })
        .optional(),
    })
    .prefault({}),
});
