import type { Manifest } from "../../plan/manifest.ts";
import type { Cluster } from "../cluster.ts";
import { expectNothing, notEnabled, notProved, type Proof } from "../proof.ts";
import { askUntil } from "../time.ts";

/** A controller writes conditions in its own time: so many seconds after a change, on a busy machine. */
const writtenSeconds = 20;

/** What is wrong once the controllers have had their time. */
const settled = ({ signal }: Cluster, ask: () => Promise<string[]>) =>
  askUntil((found) => found.length === 0, writtenSeconds, signal, ask);

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  /** What the controller had read when it said so. */
  observedGeneration?: number;
}

interface Answer<T> {
  metadata?: { generation?: number };
  status?: T;
}

/**
 * What of the wanted conditions does not hold.
 *
 * @param generation of the object: a condition that was written of an older one says nothing of it
 */
export function missingConditions(
  what: string,
  conditions: readonly Condition[] | undefined,
  wanted: readonly string[],
  generation = 0,
): string[] {
  return wanted.flatMap((type) => {
    const condition = conditions?.find((one) => one.type === type);
    if (condition === undefined) return [`${what} is not ${type}: no such condition`];
    const { status, message, reason, observedGeneration: read = generation } = condition;
    if (read < generation) {
      return [
        `${what} was changed, and no controller has read it since (generation ${generation}, read ${read})`,
      ];
    }
    return status === "True" ? [] : [`${what} is not ${type}: ${message ?? reason}`];
  });
}

async function read<T>(
  cluster: Cluster,
  kind: string,
  namespace: string | undefined,
  name: string,
): Promise<Answer<T>> {
  const where = namespace ? ["-n", namespace] : [];
  return JSON.parse(await cluster.kubectl(...where, "get", kind.toLowerCase(), name, "-o", "json"));
}

const named = ({ kind, metadata }: Manifest) =>
  `${kind} ${[metadata.namespace, metadata.name].filter(Boolean).join("/")}`;

export const gatewayStatusProof: Proof = {
  promise: "GatewayClass and gateways are accepted and programmed",
  proof:
    "conditions Accepted of the GatewayClass, Accepted and Programmed of each Gateway; Accepted, Programmed and ResolvedRefs of each of its listeners, each read from what is written now; that they serve is another promise",
  fix: "`kubectl describe` what is named above; its conditions name what is missing",
  async prove(cluster) {
    const { enabled } = cluster.config.gatewayApi;
    if (!enabled) return notEnabled("gatewayApi.enabled is false");
    const gateways = cluster.plan.gatewayApi.objects.filter(({ kind }) => kind === "Gateway");
    if (gateways.length === 0) return notEnabled("the stack makes no gateway");
    const found = await settled(cluster, () => gatewayFaults(cluster, gateways));
    return expectNothing(found, `GatewayClass cilium; ${gateways.map(named).join(", ")}`);
  },
};

type Status = { conditions?: Condition[] };
type Listeners = { listeners?: (Status & { name: string })[] };

async function gatewayFaults(cluster: Cluster, gateways: readonly Manifest[]): Promise<string[]> {
  const ofClass = await read<Status>(cluster, "GatewayClass", undefined, "cilium");
  const found = missingConditions(
    ...["GatewayClass cilium", ofClass.status?.conditions, ["Accepted"]],
    ofClass.metadata?.generation,
  );
  for (const gateway of gateways) {
    const { namespace, name } = gateway.metadata;
    const { status, metadata } = await read<Status & Listeners>(
      ...[cluster, "Gateway", namespace, name],
    );
    const missing = (what: string, conditions: Condition[] | undefined, wanted: string[]) =>
      missingConditions(what, conditions, wanted, metadata?.generation);
    found.push(...missing(named(gateway), status?.conditions, ["Accepted", "Programmed"]));
    // A gateway is programmed though one of its listeners has no certificate.
    for (const { name, conditions } of status?.listeners ?? []) {
      const what = `${named(gateway)}, listener ${name},`;
      found.push(...missing(what, conditions, ["Accepted", "Programmed", "ResolvedRefs"]));
    }
  }
  return found;
}

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
    const found = await settled(cluster, () => routeFaults(cluster, routes));
    return expectNothing(found, routes.map(named).join(", "));
  },
};

async function routeFaults(cluster: Cluster, routes: readonly Manifest[]): Promise<string[]> {
  const found: string[] = [];
  for (const route of routes) {
    const { namespace, name } = route.metadata;
    const { status, metadata } = await read<{ parents?: { conditions?: Condition[] }[] }>(
      ...[cluster, route.kind, namespace, name],
    );
    if (!status?.parents?.length) found.push(`${named(route)}: no gateway has taken it`);
    for (const { conditions } of status?.parents ?? []) {
      const wanted = ["Accepted", "ResolvedRefs"];
      found.push(...missingConditions(named(route), conditions, wanted, metadata?.generation));
    }
  }
  return found;
}
