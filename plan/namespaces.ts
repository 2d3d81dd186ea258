import type { Config } from "../config/config.ts";
import { allGateways, allRoutes } from "../config/gateways.ts";
import { effect, type ObjectEffects } from "./effect.ts";
import type { Manifest } from "./manifest.ts";

const ofEveryCluster = ["default", "kube-node-lease", "kube-public", "kube-system"];

/** Namespaces that gateways, routes and policies need, but for those of every cluster. */
export function namespaces(config: Pick<Config, "gatewayApi" | "policies">): Manifest[] {
  const names = new Set([...ofTheGatewayApi(config.gatewayApi), ...ofPolicies(config.policies)]);
  return [...names]
    .filter((name) => !ofEveryCluster.includes(name))
    .sort()
    .map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
}

function ofTheGatewayApi(gatewayApi: Config["gatewayApi"]): string[] {
  if (!gatewayApi.enabled) return [];
  const { gateway } = gatewayApi;
  const own = (namespace: string, others: readonly { namespace?: string | undefined }[]) => [
    namespace,
    ...others.flatMap((other) => other.namespace ?? []),
  ];
  return [
    gateway.namespace,
    ...allGateways(gatewayApi).flatMap(({ namespace, listeners }) =>
      own(
        namespace,
        listeners.flatMap(({ certificateRefs }) => certificateRefs),
      ),
    ),
    ...allRoutes(gatewayApi).flatMap(({ namespace, rules }) =>
      own(
        namespace,
        rules.flatMap(({ backends }) => backends),
      ),
    ),
  ];
}

function ofPolicies({ defaultDeny, networkPolicies }: Config["policies"]): string[] {
  return [...defaultDeny, ...networkPolicies.map(({ namespace }) => namespace)];
}

export const namespaceEffects: ObjectEffects = {
  removed: effect("live", "stays in the cluster, with everything in it: delete it by hand"),
};
