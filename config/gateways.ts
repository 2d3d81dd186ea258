import type { ParsedConfig } from "./schema.ts";

type GatewayApi = ParsedConfig["gatewayApi"];
type Written = GatewayApi["routes"][number];
export type RouteRule = NonNullable<Written["rules"]>[number];

/** A gateway as it is made, whichever form it is written in. */
export type GatewayConfig = GatewayApi["gateways"][number];
/** Where it is written in the stack's file. */
export interface At {
  at: string;
}

/** Every Gateway that the program makes: that of the short form, and those with listeners of their own. */
export function allGateways({ gateway, gateways }: GatewayApi): (GatewayConfig & At)[] {
  const { create, name, namespace, port } = gateway;
  const listeners: GatewayConfig["listeners"] = [
    { name: "http", protocol: "HTTP", port, certificateRefs: [], allowedRoutes: "All" },
  ];
  return [
    ...(create ? [{ name, namespace, addresses: [], listeners, at: "gatewayApi.gateway" }] : []),
    ...gateways.map((one, i) => ({ ...one, at: `gatewayApi.gateways[${i}]` })),
  ];
}

/** A route with its parents and rules, whichever form it is written in. */
export function fullRoute(route: Written, { gateway }: GatewayApi) {
  const { name, namespace, hostnames, regionHeader, backends } = route;
  const short: RouteRule[] = backends
    ? [
        {
          matches: [{ path: route.pathPrefix ?? "/", pathType: "PathPrefix", headers: {} }],
          ...{ regionHeader: false, redirectToHttps: false, backends },
        },
      ]
    : [];
  const parents = route.parents ?? [{ name: gateway.name, namespace: gateway.namespace }];
  return { name, namespace, hostnames, regionHeader, parents, rules: route.rules ?? short };
}

export type RouteConfig = ReturnType<typeof fullRoute>;

/** Every route, in full. */
export function allRoutes(gatewayApi: GatewayApi): RouteConfig[] {
  return gatewayApi.routes.map((route) => fullRoute(route, gatewayApi));
}
