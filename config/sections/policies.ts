import { z } from "zod";
import { field } from "../field.ts";
import { cidr, dnsLabel, port } from "../formats.ts";
import { re2Error } from "../re2.ts";
import { selector } from "./selector.ts";

const protocol = z
  .enum(["TCP", "UDP", "SCTP", "ANY"], { error: "not a protocol; write TCP, UDP, SCTP or ANY" })
  .default("TCP");

/** The agent does not import a policy with an expression that RE2 refuses: its pods stay open. */
const expression = z
  .string("not text; write it in quotes")
  .min(1, "empty, which matches everything; write what is meant, or remove it")
  .max(1024, "longer than 1024 characters; write a shorter expression")
  .regex(/^\P{Cc}*$/u, "holds a control character; write what can be seen")
  .superRefine((text, context) => {
    const error = text.length > 1024 ? undefined : re2Error(text);
    if (error === undefined) return;
    const message = `not a regular expression that Cilium takes (RE2: ${error}); correct it`;
    context.addIssue({ code: "custom", message });
  });

const http = z.strictObject({
  method: expression.optional(),
  path: expression.refine((text) => text.startsWith("/"), "not a path; begin with /").optional(),
  host: expression.optional(),
  headers: z
    .array(
      z
        .string("not text; write it in quotes")
        .regex(
          /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(: ?\P{Cc}*)?$/u,
          "not a header; write its name, or its name and value such as X-Region: NO",
        ),
    )
    .optional(),
});

const tooLong = "longer than a name can be; write at most 255 characters";

/** A dot at the end says that the name is whole, which it is here anyway. */
const name = z
  .string("not text; write it in quotes")
  .max(255, tooLong)
  .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/, "not a host name; write one in lower case, without *")
  .transform((text) => text.replace(/\.$/, ""));
const pattern = z
  .string("not text; write it in quotes")
  .max(255, tooLong)
  .regex(
    /^[a-z0-9_*-]+(\.[a-z0-9_*-]+)*\.?$/,
    "not a pattern; write one such as *.example.no, in lower case",
  )
  .transform((text) => text.replace(/\.$/, ""));

/** A name, or a pattern in which `*` means any part between two dots. */
const fqdn = z.strictObject({
  matchName: name.optional(),
  matchPattern: pattern.optional(),
});

const tooMany = "more than 500; write several rules";
const emptyRule = "empty, which lets everything through; give a rule";

const toPorts = z
  .array(
    z.strictObject({
      ports: z
        .array(z.strictObject({ port, endPort: port.optional(), protocol }))
        .min(1, "empty; name a port")
        .max(40, "more than 40 ports, and Cilium refuses the policy; write several toPorts"),
      // With an empty rule of L7 the ports are open for all that is sent there.
      rules: z
        .strictObject({
          http: z.array(http).min(1, emptyRule).max(500, tooMany).optional(),
          dns: z.array(fqdn).min(1, emptyRule).max(500, tooMany).optional(),
        })
        .refine(({ http, dns }) => http || dns, `${emptyRule}, or remove rules`)
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
    toFQDNs: z.array(fqdn).max(500, tooMany).optional(),
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
