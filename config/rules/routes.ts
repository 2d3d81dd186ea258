import type { Config } from "../config.ts";
import { allGateways, allRoutes, type RouteConfig, type RouteRule } from "../gateways.ts";
import type { Problem } from "../problem.ts";
import { duplicates, type Rule } from "../rule.ts";

/** A route is written in one of its two forms. */
export const routeForms: Rule = function* ({ gatewayApi }) {
  for (const [i, route] of gatewayApi.routes.entries()) {
    const at = `gatewayApi.routes[${i}]`;
    const { rules, backends, pathPrefix } = route;
    if (!rules && !backends) {
      yield {
        path: `${at}.backends`,
        value: undefined,
        why: `${route.name} has no backend`,
        fix: "name backends, or write rules",
      };
    }
    for (const [key, value] of Object.entries({ backends, pathPrefix })) {
      if (!rules || value === undefined) continue;
      yield {
        path: `${at}.${key}`,
        value,
        why: "the short form, beside rules",
        fix: "write it into a rule, or remove rules",
      };
    }
    for (const [r, rule] of (rules ?? []).entries()) {
      yield* ruleProblems(rule, `${at}.rules[${r}]`, route.regionHeader);
    }
  }
};

function* ruleProblems(rule: RouteRule, at: string, ofRoute: boolean): Generator<Problem> {
  const { backends, redirectToHttps, requestHeaders, responseHeaders } = rule;
  if (redirectToHttps === backends.length > 0) {
    yield {
      path: `${at}.backends`,
      value: backends.map(({ name }) => name),
      why: redirectToHttps ? "a redirection reaches no backend" : "the rule has no backend",
      fix: redirectToHttps
        ? "remove them, or redirectToHttps"
        : "name a backend, or write redirectToHttps: true",
    };
  }
  const region = ofRoute || rule.regionHeader;
  for (const [key, headers] of Object.entries({ requestHeaders, responseHeaders })) {
    if (headers === undefined) continue;
    const own = key === "requestHeaders" && region ? ["X-Region"] : [];
    const names = [
      ...own,
      ...Object.keys(headers.set),
      ...Object.keys(headers.add),
      ...headers.remove,
    ];
    for (const { item } of duplicates(names, (name) => name.toLowerCase())) {
      yield {
        path: `${at}.${key}`,
        value: item,
        why: "changed twice, and the order is not given (header names ignore case)",
        fix: "change it once",
      };
    }
  }
}

/** Weights are percentages, so that a canary of 10 is one request in ten. */
export const weights: Rule = function* ({ gatewayApi }) {
  for (const [i, route] of gatewayApi.routes.entries()) {
    const at = `gatewayApi.routes[${i}]`;
    const lists = [
      { path: `${at}.backends`, backends: route.backends ?? [] },
      ...(route.rules ?? []).map(({ backends }, r) => ({
        path: `${at}.rules[${r}].backends`,
        backends,
      })),
    ];
    for (const { path, backends } of lists) {
      const sum = backends.reduce((total, backend) => total + backend.weight, 0);
      if (backends.length === 0 || sum === 100) continue;
      yield {
        path,
        value: backends.map((b) => `${b.name}=${b.weight}`).join(", "),
        why: `the weights of ${route.name} add up to ${sum}`,
        fix: "make them add up to 100",
      };
    }
  }
};

/** A route is one object in its namespace. */
export const distinctRoutes: Rule = function* ({ gatewayApi }) {
  for (const { item, index } of duplicates(gatewayApi.routes, (r) => `${r.namespace}/${r.name}`)) {
    yield {
      path: `gatewayApi.routes[${index}].name`,
      value: item.name,
      why: `namespace ${item.namespace} has a route of that name already`,
      fix: "give it another name",
    };
  }
};

/** A route hangs on a gateway that takes it, or it serves nobody. */
export const routeParents: Rule = function* ({ gatewayApi }) {
  if (!gatewayApi.enabled) return;
  for (const [i, route] of allRoutes(gatewayApi).entries()) {
    for (const [p, parent] of route.parents.entries()) {
      const written = gatewayApi.routes[i]?.parents !== undefined;
      const at = `gatewayApi.routes[${i}]${written ? `.parents[${p}]` : ""}`;
      yield* parentProblems(gatewayApi, route, parent, at);
    }
  }
};

function* parentProblems(
  gatewayApi: Config["gatewayApi"],
  route: RouteConfig,
  parent: RouteConfig["parents"][number] & { listener?: string | undefined },
  path: string,
): Generator<Problem> {
  const full = `${parent.namespace}/${parent.name}`;
  const { gateway } = gatewayApi;
  if (!gateway.create && full === `${gateway.namespace}/${gateway.name}`) return;
  const made = allGateways(gatewayApi).find((one) => `${one.namespace}/${one.name}` === full);
  const problem = (value: unknown, why: string, fix: string) => ({ path, value, why, fix });
  if (made === undefined) {
    yield problem(full, "no gateway of that namespace and name is made", "name one of gatewayApi");
    return;
  }
  const { listener } = parent;
  const named = made.listeners.filter(({ name }) => listener === undefined || name === listener);
  if (named.length === 0) {
    const names = made.listeners.map(({ name }) => name).join(", ");
    yield problem(listener, `${full} has no listener of that name`, `write one of ${names}`);
    return;
  }
  const admitting = named.filter(
    ({ allowedRoutes }) => allowedRoutes === "All" || route.namespace === parent.namespace,
  );
  if (admitting.length === 0) {
    yield problem(
      full,
      `takes routes of its own namespace alone, and ${route.name} is in ${route.namespace}`,
      "write allowedRoutes: All there, or move the route",
    );
    return;
  }
  const served = ({ hostname }: { hostname?: string | undefined }) =>
    hostname === undefined ||
    route.hostnames.length === 0 ||
    route.hostnames.some((name) => meets(name, hostname));
  if (!admitting.some(served)) {
    yield problem(
      route.hostnames.join(", "),
      `${full} serves none of these (${admitting.map(({ hostname }) => hostname).join(", ")})`,
      "give a host name that a listener serves",
    );
  }
}

/** True if a request can be for both: `*.` means one or more labels. */
function meets(a: string, b: string): boolean {
  const covers = (wild: string, name: string) =>
    wild.startsWith("*.") && name.replace(/^\*\./, "*.").endsWith(wild.slice(1));
  return a === b || covers(a, b) || covers(b, a);
}
