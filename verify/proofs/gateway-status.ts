import type { Manifest } from "../../plan/manifest.ts";
import type { Cluster } from "../cluster.ts";
import { expectNothing, notEnabled, notProved, type Proof } from "../proof.ts";

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** What of the wanted conditions does not hold. */
export function missingConditions(
  what: string,
  conditions: readonly Condition[] | undefined,
  wanted: readonly string[],
): string[] {
  return wanted.flatMap((type) => {
    const condition = conditions?.find((one) => one.type === type);
    if (condition?.status === "True") return [];
    const why = condition ? (condition.message ?? condition.reason) : "no such condition";
    return [`${what} is not ${type}: ${why}`];
  });
}

async function statusOf<T>(
  cluster: Cluster,
  kind: string,
  namespace: string | undefined,
  name: string,
) {
  const where = namespace ? ["-n", namespace] : [];
  return JSON.parse(await cluster.kubectl(...where, "get", kind.toLowerCase(), name, "-o", "json"))
    .status as T;
}

const named = ({ kind, metadata }: Manifest) =>
  `${kind} ${[metadata.namespace, metadata.name].filter(Boolean).join("/")}`;

export const gatewayStatusProof: Proof = {
  promise: "GatewayClass and gateways are accepted and programmed",
  proof:
    "conditions Accepted of the GatewayClass, Accepted and Programmed of each Gateway; that they serve is another promise",
  fix: "`kubectl describe` what is named above; its conditions name what is missing",
  async prove(cluster) {
    const { enabled } = cluster.config.gatewayApi;
    if (!enabled) return notEnabled("gatewayApi.enabled is false");
    const gateways = cluster.plan.gatewayApi.objects.filter(({ kind }) => kind === "Gateway");
    if (gateways.length === 0) return notEnabled("the stack makes no gateway");
    type Status = { conditions?: Condition[] };
    const ofClass = await statusOf<Status>(cluster, "GatewayClass", undefined, "cilium");
    const found = missingConditions("GatewayClass cilium", ofClass?.conditions, ["Accepted"]);
    for (const gateway of gateways) {
      const { namespace, name } = gateway.metadata;
      const status = await statusOf<Status>(cluster, "Gateway", namespace, name);
      found.push(
        ...missingConditions(named(gateway), status?.conditions, ["Accepted", "Programmed"]),
      );
    }
    return expectNothing(found, `GatewayClass cilium; ${gateways.map(named).join(", ")}`);
  },
};

const routeKinds = ["HTTPRoute", "GRPCRoute", "TLSRoute"];

export const routeStatusProof: Proof = {
  promise: "Every route is attached to its gateway, and its backends exist",
  proof: "conditions Accepted and ResolvedRefs of every route of the plan, for each of its parents",
  fix: "`kubectl describe` what is named above; its conditions name what is missing",
  async prove(cluster) {
    const { objects } = cluster.plan.gatewayApi;
    const routes = objects.filter(({ kind }) => routeKinds.includes(kind));
    if (routes.length === 0) return notEnabled("the stack has no route");
    if (!objects.some(({ kind }) => kind === "Gateway")) {
      return notProved("the stack makes no gateway that they could be attached to");
    }
    const found: string[] = [];
    for (const route of routes) {
      const { namespace, name } = route.metadata;
      const status = await statusOf<{ parents?: { conditions?: Condition[] }[] }>(
        ...[cluster, route.kind, namespace, name],
      );
      if (!status?.parents?.length) found.push(`${named(route)}: no gateway has taken it`);
      for (const { conditions } of status?.parents ?? []) {
        found.push(...missingConditions(named(route), conditions, ["Accepted", "ResolvedRefs"]));
      }
    }
    return expectNothing(found, routes.map(named).join(", "));
  },
};
