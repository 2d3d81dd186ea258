import type { Manifest } from "../../../plan/manifest.ts";
import type { Tenant } from "./cluster.ts";

/** A kind that keeps what it is given. */
export const definition = (kind: string, scope: "Namespaced" | "Cluster"): Manifest => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${kind.toLowerCase()}s.example.org` },
  spec: {
    group: "example.org",
    names: { kind, plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase() },
    scope,
    versions: [
      {
        ...{ name: "v1", served: true, storage: true },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
            },
          },
        },
      },
    ],
  },
});

/** One whose pods have nothing to do. */
export function daemonSet(
  { namespace }: Tenant,
  { app = "a", image = "cache:1", ...metadata }: { app?: string; image?: string } & object = {},
): Manifest {
  const labels = { app };
  const containers = [{ name: "cache", image }];
  // As a node is before its kubelet runs, which would also end the pods.
  const [tolerations, terminationGracePeriodSeconds] = [[{ operator: "Exists" }], 0];
  const podSpec = { containers, tolerations, terminationGracePeriodSeconds };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "cache", namespace, ...metadata },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec },
    },
  };
}
