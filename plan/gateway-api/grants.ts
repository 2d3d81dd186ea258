import type { Config } from "../../config/config.ts";
import { allGateways, allRoutes } from "../../config/gateways.ts";
import type { Manifest } from "../manifest.ts";

const group = "gateway.networking.k8s.io";

/** Something in one namespace that something in another refers to. */
interface Reference {
  from: { kind: "Gateway" | "HTTPRoute"; namespace: string };
  to: { kind: "Secret" | "Service"; namespace: string; name: string };
}

/**
 * A grant for each pair of namespaces, in the one that is referred to, for the objects that are named
 * and no others.
 */
export function referenceGrants(gatewayApi: Config["gatewayApi"]): Manifest[] {
  const pairs = new Map<string, Reference[]>();
  for (const reference of references(gatewayApi)) {
    const { from, to } = reference;
    if (from.namespace === to.namespace) continue;
    const pair = `${to.namespace}/${from.kind.toLowerCase()}s-of-${from.namespace}`;
    pairs.set(pair, [...(pairs.get(pair) ?? []), reference]);
  }
  return [...pairs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([pair, list]) => {
      const [namespace, name] = pair.split("/") as [string, string];
      return grant(name, namespace, list);
    });
}

function references(gatewayApi: Config["gatewayApi"]): Reference[] {
  const certificates = allGateways(gatewayApi).flatMap(({ namespace, listeners }) =>
    listeners
      .flatMap(({ certificateRefs }) => certificateRefs)
      .map(
        ({ name, namespace: other = namespace }): Reference => ({
          from: { kind: "Gateway", namespace },
          to: { kind: "Secret", namespace: other, name },
        }),
      ),
  );
  const backends = allRoutes(gatewayApi).flatMap(({ namespace, rules }) =>
    rules
      .flatMap(({ backends }) => backends)
      .map(
        ({ name, namespace: other = namespace }): Reference => ({
          from: { kind: "HTTPRoute", namespace },
          to: { kind: "Service", namespace: other, name },
        }),
      ),
  );
  return [...certificates, ...backends];
}

function grant(name: string, namespace: string, list: readonly Reference[]): Manifest {
  const [{ from, to }] = list as [Reference];
  const names = [...new Set(list.map((reference) => reference.to.name))].sort();
  return {
    apiVersion: `${group}/v1`,
    kind: "ReferenceGrant",
    metadata: { name, namespace },
    spec: {
      from: [{ group, ...from }],
      to: names.map((one) => ({ group: "", kind: to.kind, name: one })),
    },
  };
}
