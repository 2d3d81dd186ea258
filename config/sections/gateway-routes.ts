import { z } from "zod";
import { field } from "../field.ts";
import { dnsLabel, port } from "../formats.ts";
import { routeHostname } from "./route-hostname.ts";

const backend = z.strictObject({
  name: field(dnsLabel, "live", "The service that answers."),
  namespace: field(
    dnsLabel.optional(),
    "live",
    "Its namespace; a ReferenceGrant there is made. Default: the route's.",
  ),
  port: field(port, "live", "The service's port."),
  weight: field(
    z
      .int("not a whole number; write percent")
      .min(0, "negative; write 0 to 100")
      .max(100, "above 100; write 0 to 100")
      .default(100),
    "live",
    "Share of the requests in percent; the weights of a rule add up to 100.",
  ),
});

/** Limits are those of the Gateway API's CRDs, 1.6. */
const most = (count: number, what: string) =>
  `more than the ${count} ${what} that the Gateway API takes; write several rules or routes`;

const headerName = z
  .string()
  .max(256, "longer than a header's name may be; write at most 256 characters")
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "not a header's name; write one such as X-Region");

const headerValues = z
  .record(
    headerName,
    z
      .string("not text; write the value in quotes")
      .min(1, "empty; write a value, or remove the header")
      .max(4096, "longer than a header's value may be; write at most 4096 characters")
      // With a line's end the answer or request would have another header.
      .regex(/^\P{Cc}*$/u, "holds a line's end or another control character; write one line"),
  )
  .refine((map) => Object.keys(map).length <= 16, most(16, "headers"));

/** As the Gateway API's CRDs check it. */
const path = z
  .string()
  .startsWith("/", "not a path; begin with /")
  .max(1024, "longer than a path may be; write at most 1024 characters")
  .regex(
    /^([-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$/,
    "holds a character that no path of a URL has; write it as % and two hexadecimal digits",
  )
  .refine(
    (text) => !/\/\/|\/\.\.?(\/|$)|%2f/i.test(text),
    "holds //, /./, /../ or %2F, which the Gateway API refuses; write the path that is meant",
  );

const headers = z.strictObject({
  set: field(headerValues.default({}), "live", "Headers that get this value alone. Default: none."),
  add: field(
    headerValues.default({}),
    "live",
    "Headers that get this value beside those that are there. Default: none.",
  ),
  remove: field(
    z.array(headerName).max(16, most(16, "headers")).default([]),
    "live",
    "Headers that are taken off. Default: none.",
  ),
});

const match = z.strictObject({
  path: field(path.default("/"), "live", "Path that matches."),
  pathType: field(
    z
      .enum(["PathPrefix", "Exact"], { error: "not a type; write PathPrefix or Exact" })
      .default("PathPrefix"),
    "live",
    "Whether paths below it match as well.",
  ),
  method: field(
    z
      .enum(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"], {
        error: "not a method; write one such as GET",
      })
      .optional(),
    "live",
    "Method that matches. Default: all.",
  ),
  headers: field(headerValues.default({}), "live", "Headers that a request has. Default: none."),
});

const rule = z.strictObject({
  matches: field(
    z.array(match).max(64, most(64, "matches")).default([]),
    "live",
    "What matches: one of these. Default: every path.",
  ),
  requestHeaders: field(
    headers.optional(),
    "live",
    "Changes to a request's headers. Default: none.",
  ),
  responseHeaders: field(
    headers.optional(),
    "live",
    "Changes to an answer's headers. Default: none.",
  ),
  regionHeader: field(
    z.boolean().default(false),
    "live",
    "Add X-Region: <cluster.region> to requests.",
  ),
  redirectToHttps: field(
    z.boolean().default(false),
    "live",
    "Answer 301 to the same address by HTTPS, in the place of backends.",
  ),
  backends: field(
    z.array(backend).max(16, most(16, "backends")).default([]),
    "live",
    "Backends and their weights. Default: none, needed unless redirectToHttps.",
  ),
});

const parent = z.strictObject({
  name: field(dnsLabel, "live", "Name of the Gateway."),
  namespace: field(dnsLabel, "live", "Its namespace."),
  listener: field(dnsLabel.optional(), "live", "One of its listeners. Default: all that fit."),
});

/** An HTTPRoute: in the short form one path prefix between backends, else rules. */
export const route = z.strictObject({
  name: field(dnsLabel, "recreate", "Name of the HTTPRoute."),
  namespace: field(
    dnsLabel,
    "recreate",
    "Namespace of the HTTPRoute and, unless they name one, its backends; made if absent.",
  ),
  parents: field(
    z.array(parent).min(1, "empty; name a gateway").max(32, most(32, "parents")).optional(),
    "live",
    "Gateways that serve it. Default: gatewayApi.gateway.",
  ),
  hostnames: field(
    z.array(routeHostname).max(16, most(16, "host names")).default([]),
    "live",
    "Host names that match. Default: all.",
  ),
  pathPrefix: field(path.optional(), "live", "Short form: path prefix that matches. Default: /."),
  backends: field(
    z.array(backend).min(1, "empty; name a backend").max(16, most(16, "backends")).optional(),
    "live",
    "Short form: backends and their weights. Default: none; give these or rules.",
  ),
  regionHeader: field(
    z.boolean().default(false),
    "live",
    "Add X-Region: <cluster.region> to requests, in every rule.",
  ),
  rules: field(
    z
      .array(rule)
      .min(1, "empty; give a rule")
      .max(16, most(16, "rules"))
      .refine(
        (rules) => rules.reduce((sum, { matches }) => sum + matches.length, 0) <= 128,
        most(128, "matches of all rules"),
      )
      .optional(),
    "live",
    "Rules, in the place of pathPrefix and backends. Default: none.",
  ),
});
