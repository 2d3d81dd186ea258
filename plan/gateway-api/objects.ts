import type { Config } from "../../config/config.ts";
import {
  allGateways,
  allRoutes,
  type GatewayConfig,
  type RouteConfig,
  type RouteRule,
} from "../../config/gateways.ts";
import type { AppliedDirective } from "../directive.ts";
import { effect, type ObjectEffects } from "../effect.ts";
import type { Manifest } from "../manifest.ts";
import { referenceGrants } from "./grants.ts";

type Part = Pick<Config, "cluster" | "gatewayApi">;
type Listener = GatewayConfig["listeners"][number];
type Headers = NonNullable<RouteRule["requestHeaders"]>;

const apiVersion = "gateway.networking.k8s.io/v1";

/** The gateways, the routes, and the grants without which references to other namespaces are refused. */
export function gatewayObjects(config: Part): Manifest[] {
  const { gatewayApi } = config;
  if (!gatewayApi.enabled) return [];
  return [
    ...referenceGrants(gatewayApi),
    ...allGateways(gatewayApi).map(gatewayObject),
    ...allRoutes(gatewayApi).map((route) => httpRoute(config, route)),
  ];
}

function gatewayObject({ name, namespace, addresses, listeners }: GatewayConfig): Manifest {
  return {
    apiVersion,
    kind: "Gateway",
    metadata: { name, namespace },
    spec: {
      gatewayClassName: "cilium",
      ...(addresses.length > 0
        ? { addresses: addresses.map((value) => ({ type: "IPAddress", value })) }
        : {}),
      listeners: listeners.map(listenerSpec),
    },
  };
}

function listenerSpec({ name, protocol, port, hostname, ...listener }: Listener) {
  const { certificateRefs, allowedRoutes } = listener;
  return {
    ...{ name, protocol, port },
    ...(hostname ? { hostname } : {}),
    ...(certificateRefs.length > 0 ? { tls: { mode: "Terminate", certificateRefs } } : {}),
    allowedRoutes: { namespaces: { from: allowedRoutes } },
  };
}

function httpRoute({ cluster }: Part, route: RouteConfig): Manifest {
  const { name, namespace, hostnames, parents } = route;
  return {
    apiVersion,
    kind: "HTTPRoute",
    metadata: { name, namespace },
    spec: {
      parentRefs: parents.map(({ listener, ...parent }: Parent) => ({
        ...parent,
        ...(listener ? { sectionName: listener } : {}),
      })),
      ...(hostnames.length > 0 ? { hostnames } : {}),
      rules: route.rules.map((rule) =>
        ruleSpec(rule, rule.regionHeader || route.regionHeader ? cluster.region : undefined),
      ),
    },
  };
}

type Parent = RouteConfig["parents"][number] & { listener?: string | undefined };

function ruleSpec(rule: RouteRule, region: string | undefined) {
  const filters = filtersOf(rule, region);
  return {
    ...(rule.matches.length > 0 ? { matches: rule.matches.map(matchSpec) } : {}),
    ...(filters.length > 0 ? { filters } : {}),
    ...(rule.backends.length > 0
      ? {
          backendRefs: rule.backends.map(({ name, namespace, port, weight }) => ({
            name,
            ...(namespace ? { namespace } : {}),
            ...{ port, weight },
          })),
        }
      : {}),
  };
}

function matchSpec({ path, pathType, method, headers }: RouteRule["matches"][number]) {
  return {
    path: { type: pathType, value: path },
    ...(method ? { method } : {}),
    ...(Object.keys(headers).length > 0 ? { headers: pairs(headers) } : {}),
  };
}

function filtersOf(rule: RouteRule, region: string | undefined): object[] {
  const none: Headers = { set: {}, add: {}, remove: [] };
  const { requestHeaders = none, responseHeaders = none, redirectToHttps } = rule;
  // `set`, not `add`: a client must not bring a region of its own.
  const set = region ? { "X-Region": region, ...requestHeaders.set } : requestHeaders.set;
  const request = modifier({ ...requestHeaders, set });
  const response = modifier(responseHeaders);
  return [
    ...(request ? [{ type: "RequestHeaderModifier", requestHeaderModifier: request }] : []),
    ...(response ? [{ type: "ResponseHeaderModifier", responseHeaderModifier: response }] : []),
    ...(redirectToHttps
      ? [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }]
      : []),
  ];
}

function modifier({ set, add, remove }: Headers): object | undefined {
  const parts = {
    ...(Object.keys(set).length > 0 ? { set: pairs(set) } : {}),
    ...(Object.keys(add).length > 0 ? { add: pairs(add) } : {}),
    ...(remove.length > 0 ? { remove } : {}),
  };
  return Object.keys(parts).length > 0 ? parts : undefined;
}

/** By name: the order of a map is the file's or Pulumi's own. */
function pairs(headers: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(headers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
}

export const gatewayDirectives: AppliedDirective[] = [
  {
    article: "001",
    says: "HTTPRoutes with weights 90/10 (002, 003 too) and 95/5 (004)",
    applied: "gatewayApi.routes, see examples/Pulumi.articles.yaml",
    why: "Applied as data. Corrected: parentRefs name the gateway's namespace, since a bare name is looked up in the route's own; the gateway admits routes of all namespaces.",
  },
  {
    article: "004",
    says: "RequestHeaderModifier add X-Region: NO-OSL-1",
    applied: "gatewayApi.routes[].regionHeader: true",
    why: "Corrected: set instead of add, or a client's own X-Region would be sent beside it; the value is cluster.region.",
  },
];

/** What becomes of an object, by its kind as the plan's file names have it. */
export const gatewayObjectEffects: Record<string, ObjectEffects> = {
  customresourcedefinition: {
    removed: effect("recreate", "deleted, with every object of that kind in the cluster"),
  },
  gateway: { removed: effect("recreate", "deleted: its ports no longer answer") },
  httproute: {
    removed: effect("recreate", "deleted: requests that it took are answered with 404"),
  },
  referencegrant: {
    removed: effect("live", "taken away: nothing here refers to what it allowed any more"),
  },
};
