import type { Config } from "../../config/config.ts";
import type { AppliedDirective } from "../directive.ts";
import type { Manifest } from "../manifest.ts";

type Part = Pick<Config, "cluster" | "gatewayApi">;
type Route = Config["gatewayApi"]["routes"][number];

const apiVersion = "gateway.networking.k8s.io/v1";

/** Namespaces that the gateway and its routes need, but for those of every cluster. */
export function gatewayNamespaces({ gatewayApi: { enabled, gateway, routes } }: Part): Manifest[] {
  if (!enabled) return [];
  const names = new Set([gateway.namespace, ...routes.map((route) => route.namespace)]);
  names.delete("default");
  names.delete("kube-system");
  return [...names]
    .sort()
    .map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
}

/** The gateway, open to routes of every namespace, and the routes. */
export function gatewayObjects(config: Part): Manifest[] {
  const { enabled, gateway, routes } = config.gatewayApi;
  if (!enabled) return [];
  return [
    ...(gateway.create ? [gatewayObject(gateway)] : []),
    ...routes.map((route) => httpRoute(config, route)),
  ];
}

function gatewayObject(gateway: Config["gatewayApi"]["gateway"]): Manifest {
  return {
    apiVersion,
    kind: "Gateway",
    metadata: { name: gateway.name, namespace: gateway.namespace },
    spec: {
      gatewayClassName: "cilium",
      listeners: [
        {
          name: "http",
          protocol: "HTTP",
          port: gateway.port,
          allowedRoutes: { namespaces: { from: "All" } },
        },
      ],
    },
  };
}

function httpRoute({ cluster, gatewayApi: { gateway } }: Part, route: Route): Manifest {
  return {
    apiVersion,
    kind: "HTTPRoute",
    metadata: { name: route.name, namespace: route.namespace },
    spec: {
      parentRefs: [{ name: gateway.name, namespace: gateway.namespace }],
      ...(route.hostnames.length > 0 ? { hostnames: route.hostnames } : {}),
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: route.pathPrefix } }],
          ...(route.regionHeader
            ? {
                filters: [
                  {
                    type: "RequestHeaderModifier",
                    // `set`, not `add`: a client must not bring a region of its own.
                    requestHeaderModifier: { set: [{ name: "X-Region", value: cluster.region }] },
                  },
                ],
              }
            : {}),
          backendRefs: route.backends.map(({ name, port, weight }) => ({ name, port, weight })),
        },
      ],
    },
  };
}

export const gatewayDirectives: AppliedDirective[] = [
  {
    seed: "001",
    says: "HTTPRoutes with weights 90/10 (002, 003 too) and 95/5 (004)",
    applied: "gatewayApi.routes, see Pulumi.dev.yaml",
    why: "Applied as data. Corrected: parentRefs name the gateway's namespace, since a bare name is looked up in the route's own; the gateway admits routes of all namespaces.",
  },
  {
    seed: "004",
    says: "RequestHeaderModifier add X-Region: NO-OSL-1",
    applied: "gatewayApi.routes[].regionHeader: true",
    why: "Corrected: set instead of add, or a client's own X-Region would stand beside it; the value is cluster.region.",
  },
];
