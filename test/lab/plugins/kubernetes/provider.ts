import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import type { Provider } from "../protocol/provider.ts";
import { differences, isUnknown, open, type Values } from "../protocol/values.ts";
import { versionOf } from "../protocol/version.ts";
import { accessOf, contentOf } from "./access.ts";
import { objectResource } from "./object.ts";
import { releaseResource } from "./release.ts";

// @pulumi/kubernetes, as far as a cluster uses it, by the kubectl and helm on PATH: objects by
// server-side apply, and Helm releases. Other than upstream's: a preview asks neither the API server nor a
// chart's repository, and a Service is not waited for.

let configuration: ReturnType<typeof accessOf> | undefined;
const access = () => {
  if (configuration) return configuration;
  throw new Error(
    "no kubeconfig: pass a kubernetes.Provider with one; this machine's own is never used",
  );
};

export const kubernetesProvider: Provider = {
  version: versionOf("@pulumi/kubernetes"),
  // Another cluster takes another set of objects; its identifier says which one it is, where there was and is one.
  diffConfig(old, inputs) {
    const changes = [...differences(old, inputs)];
    const replaced = changes.length === 0 ? undefined : replacedBy(old, inputs);
    return changes.map(([path, kind]) => ({
      ...{ path, kind },
      replaces: path === replaced,
    }));
  },
  configure: (inputs) => {
    if (inputs.kubeconfig !== undefined) configuration = accessOf(inputs);
  },
  resource: (type) =>
    type === "kubernetes:helm.sh/v3:Release" ? releaseResource(access) : objectResource(access),
};

/** @throws for a kubeconfig that is none, also for that of the last time */
function replacedBy(old: Values, inputs: Values): string | undefined {
  const [before, after] = [old.clusterIdentifier, inputs.clusterIdentifier];
  const isMoved = isUnknown(open(inputs.kubeconfig)) || isOther(clusterOf(old), clusterOf(inputs));
  if (before !== undefined && after !== undefined)
    return isDeepStrictEqual(before, after) ? undefined : "clusterIdentifier";
  return isMoved ? "kubeconfig" : undefined;
}

function isOther(one: unknown, other: unknown): boolean {
  return one !== undefined && other !== undefined && !isDeepStrictEqual(one, other);
}

/** The entry of the kubeconfig that is in use. */
function clusterOf({ kubeconfig, context }: Values): unknown {
  const { contexts, clusters, ...rest } = parsed(contentOf(open(kubeconfig) as string));
  const used = contexts?.find(({ name }) => name === (context ?? rest["current-context"]));
  return clusters?.find(({ name }) => name === used?.context.cluster);
}

function parsed(kubeconfig: string): Kubeconfig {
  try {
    return parse(kubeconfig) as Kubeconfig;
  } catch (error) {
    throw new Error(`failed to parse kubeconfig: ${error}`);
  }
}

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context: { cluster: string } }[];
  clusters?: { name: string }[];
}
