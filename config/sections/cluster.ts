import { z } from "zod";
import { field } from "../field.ts";
import { dnsLabel, hostname, port } from "../formats.ts";

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
    "Where the cluster stands: the label topology.kubernetes.io/region, which nodes get as they join and keep, and the header X-Region. A change restarts the API server.",
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
    "check",
    "The contract for where data may stand: NO (Norway only) or EEA (what the GDPR treats as one area).",
  ),
  endpoint: z
    .strictObject({
      host: field(
        hostname.optional(),
        "impossible",
        "Name or address of the API server that nodes and operators use. Default: the address of the control-plane node on the VLAN. A name can be moved to a load balancer later; an address cannot.",
      ),
      port: field(port.default(6443), "impossible", "TCP port of the API server."),
    })
    .prefault({}),
});
