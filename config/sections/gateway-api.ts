import { z } from "zod";
import { field } from "../field.ts";
import { address, dnsLabel, port } from "../formats.ts";
import { route } from "./gateway-routes.ts";
import { routeHostname } from "./route-hostname.ts";

const certificateRef = z.strictObject({
  name: field(dnsLabel, "live", "Secret of type kubernetes.io/tls; you make it."),
  namespace: field(
    dnsLabel.optional(),
    "live",
    "Its namespace; a ReferenceGrant there is made. Default: the gateway's.",
  ),
});

const listener = z.strictObject({
  name: field(dnsLabel, "live", "Name of the listener: what a route's parents[].listener names."),
  protocol: field(
    z.enum(["HTTP", "HTTPS"], { error: "not a protocol; write HTTP or HTTPS" }).default("HTTP"),
    "live",
    "HTTPS terminates TLS at the gateway.",
  ),
  port: field(port, "live", "Port on which it listens."),
  hostname: field(routeHostname.optional(), "live", "Host name that it serves. Default: all."),
  certificateRefs: field(
    z
      .array(certificateRef)
      // Cilium makes a filter chain for each, all alike, and then refuses the whole gateway.
      .max(
        1,
        "more than the one that Cilium serves for a listener (cilium#41228); give each a listener with a hostname of its own",
      )
      .default([]),
    "live",
    "Certificate of an HTTPS listener, one. Default: none.",
  ),
  allowedRoutes: field(
    z.enum(["All", "Same"], { error: "not a choice; write All or Same" }).default("All"),
    "live",
    "Routes of all namespaces, or of the gateway's own.",
  ),
});

/** A Gateway with listeners of its own. */
const gateway = z.strictObject({
  name: field(dnsLabel, "recreate", "Name of the Gateway."),
  namespace: field(dnsLabel, "recreate", "Its namespace; made if absent."),
  addresses: field(
    z
      .array(address)
      .max(16, "more than the 16 that the Gateway API takes; write several gateways")
      .default([]),
    "live",
    "Addresses of a pool that it is to have, with exposure loadBalancer. Default: any of a pool.",
  ),
  listeners: field(
    z
      .array(listener)
      .min(1, "empty; give a listener")
      .max(64, "more than the 64 that the Gateway API takes; write several gateways"),
    "live",
    "Where it listens, for what.",
  ),
});

export const gatewayApi = z.strictObject({
  enabled: field(
    z.boolean().default(true),
    "recreate",
    "Install the CRDs, GatewayClass cilium and the gateways. False deletes them, with every object of those kinds.",
  ),
  version: field(
    z
      .enum(["1.6.1"], { error: "not a version that this program carries; write 1.6.1" })
      .default("1.6.1"),
    "live",
    "Version of the Gateway API's CRDs, standard channel.",
  ),
  exposure: field(
    z
      .enum(["hostNetwork", "loadBalancer"], {
        error: "not an exposure; write hostNetwork or loadBalancer",
      })
      .default("hostNetwork"),
    "restart",
    "Where gateways listen: on every node's own addresses, or on an address of cilium.loadBalancerIPPools.",
  ),
  gateway: z
    .strictObject({
      create: field(
        z.boolean().default(true),
        "recreate",
        "Make the Gateway. False where it comes from elsewhere, or where Envoy's image is not available.",
      ),
      name: field(dnsLabel.default("external-gateway"), "recreate", "Name of the Gateway."),
      namespace: field(
        dnsLabel.default("default"),
        "recreate",
        "Namespace of the Gateway; made if absent.",
      ),
      port: field(port.default(80), "live", "Port of its HTTP listener."),
    })
    .prefault({}),
  gateways: field(
    z.array(gateway).default([]),
    "recreate",
    "Further Gateways, with listeners of their own. One that is taken out is deleted. Default: none.",
  ),
  routes: field(
    z.array(route).default([]),
    "recreate",
    "HTTPRoutes attached to the gateway, or to the parents that they name. One that is taken out is deleted. Default: none.",
  ),
});
