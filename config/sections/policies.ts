import { z } from "zod";
import { field } from "../field.ts";
import { cidr, dnsLabel, port } from "../formats.ts";
import { selector } from "./selector.ts";

const protocol = z
  .enum(["TCP", "UDP", "SCTP", "ANY"], { error: "not a protocol; write TCP, UDP, SCTP or ANY" })
  .default("TCP");

const http = z.strictObject({
  method: z.string().optional(),
  path: z.string().startsWith("/", "not a path; begin with /").optional(),
  host: z.string().optional(),
  headers: z.array(z.string()).optional(),
});

const name = z
  .string()
  .regex(
    /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/,
    "not a host name; write one in lower case, without *",
  );
const pattern = z
  .string()
  .regex(/^[a-z0-9_.*-]+$/, "not a pattern; write one such as *.example.no, in lower case");

/** A name, or a pattern in which `*` stands for any part between two dots. */
const fqdn = z.strictObject({
  matchName: name.optional(),
  matchPattern: pattern.optional(),
});

const toPorts = z
  .array(
    z.strictObject({
      ports: z
        .array(z.strictObject({ port, endPort: port.optional(), protocol }))
        .min(1, "empty; name a port"),
      rules: z
        .strictObject({
          http: z.array(http).optional(),
          dns: z.array(fqdn).optional(),
        })
        .optional(),
    }),
  )
  .optional();

const entities = z
  .array(
    z.enum(
      [
        "all",
        "cluster",
        "health",
        "host",
        "ingress",
        "kube-apiserver",
        "remote-node",
        "world",
        "world-ipv4",
        "world-ipv6",
      ],
      { error: "not an entity; write one such as ingress, world or kube-apiserver" },
    ),
  )
  .optional();

const cidrs = z.array(cidr).optional();

const ingress = z
  .strictObject({
    fromEndpoints: z.array(selector).optional(),
    fromEntities: entities,
    fromCIDR: cidrs,
    toPorts,
  })
  .meta({ title: "Cilium ingress rule" });

const egress = z
  .strictObject({
    toEndpoints: z.array(selector).optional(),
    toEntities: entities,
    toCIDR: cidrs,
    toFQDNs: z.array(fqdn).optional(),
    toPorts,
  })
  .meta({ title: "Cilium egress rule" });

/** A CiliumNetworkPolicy, in its own vocabulary. */
const networkPolicy = z.strictObject({
  name: field(dnsLabel, "recreate", "Name of the CiliumNetworkPolicy."),
  namespace: field(dnsLabel, "recreate", "Its namespace; made if absent."),
  description: field(z.string().optional(), "live", "What it is for. Default: none."),
  endpointSelector: field(
    selector.prefault({}),
    "live",
    "Labels of the pods that it is about. Default: all pods of the namespace.",
  ),
  ingress: field(
    z.array(ingress).optional(),
    "live",
    "Who may call them: fromEndpoints, fromEntities (ingress is the Gateway) or fromCIDR, and toPorts with http rules. Default: nothing is said.",
  ),
  egress: field(
    z.array(egress).optional(),
    "live",
    "Whom they may call: toEndpoints, toEntities, toCIDR or toFQDNs, and toPorts with http rules. With toFQDNs the rule for DNS is added. Default: nothing is said.",
  ),
});

/** Who may talk to whom. */
export const policies = z.strictObject({
  defaultDeny: field(
    z.array(dnsLabel).default([]),
    "recreate",
    "Namespaces of tenants: their pods may ask for names, and nothing else that no policy allows. One that is taken out loses that policy.",
  ),
  networkPolicies: field(
    z.array(networkPolicy).default([]),
    "recreate",
    "Policies, each a CiliumNetworkPolicy. One that is taken out is deleted. Default: none.",
  ),
});
