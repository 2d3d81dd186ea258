import { z } from "zod";
import { field } from "../field.ts";
import { dnsLabel, hostname, port } from "../formats.ts";

const backend = z.strictObject({
  name: field(dnsLabel, "live", "The service that answers."),
  port: field(port, "live", "The service's port."),
  weight: field(
    z
      .int("not a whole number; write percent")
      .min(0, "negative; write 0 to 100")
      .max(100, "above 100; write 0 to 100")
      .default(100),
    "live",
    "Share of the requests in percent; the weights of a route add up to 100.",
  ),
});

/** An HTTPRoute that splits one path prefix between backends. */
export const route = z.strictObject({
  name: field(dnsLabel, "recreate", "Name of the HTTPRoute."),
  namespace: field(
    dnsLabel,
    "recreate",
    "Namespace of the HTTPRoute and its backends; made if absent.",
  ),
  hostnames: field(z.array(hostname).default([]), "live", "Host names that match. Default: all."),
  pathPrefix: field(
    z.string().startsWith("/", "not a path; begin with /").default("/"),
    "live",
    "Path prefix that matches.",
  ),
  backends: field(
    z.array(backend).min(1, "empty; name a backend"),
    "live",
    "Backends and their weights.",
  ),
  regionHeader: field(
    z.boolean().default(false),
    "live",
    "Add X-Region: <cluster.region> to requests.",
  ),
});

export const gatewayApi = z.strictObject({
  enabled: field(
    z.boolean().default(true),
    "restart",
    "Install the CRDs, GatewayClass cilium and the gateway.",
  ),
  version: field(
    z
      .enum(["1.6.1"], { error: "not a version that this program carries; write 1.6.1" })
      .default("1.6.1"),
    "live",
    "Version of the Gateway API's CRDs, standard channel.",
  ),
  gateway: z
    .strictObject({
      create: field(
        z.boolean().default(true),
        "live",
        "Make the Gateway. False where it comes from elsewhere, or where Envoy's image cannot be had.",
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
  routes: field(
    z.array(route).default([]),
    "live",
    "HTTPRoutes attached to the gateway. Default: none.",
  ),
});
