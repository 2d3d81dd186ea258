import type { Provider } from "../protocol/provider.ts";
import { differences } from "../protocol/values.ts";
import { versionOf } from "../protocol/version.ts";
import { accessOf } from "./access.ts";
import { objectResource } from "./object.ts";
import { releaseResource } from "./release.ts";

// @pulumi/kubernetes, as far as a cluster uses it, by the kubectl and helm on PATH: objects by
// server-side apply, and Helm releases. Fields that the API server never changes are not known here, so
// that their change is an update which the API server refuses.

let configuration: ReturnType<typeof accessOf> | undefined;
const access = () => {
  if (configuration) return configuration;
  throw new Error(
    "no kubeconfig: pass a kubernetes.Provider with one; this machine's own is never used",
  );
};

export const kubernetesProvider: Provider = {
  version: versionOf("@pulumi/kubernetes"),
  // Another cluster takes another set of objects; its identifier says which one it is, where there is one.
  diffConfig: (old, inputs) => {
    const key = inputs.clusterIdentifier === undefined ? "kubeconfig" : "clusterIdentifier";
    return [...differences(old, inputs)].map(([path, kind]) => ({
      ...{ path, kind },
      replaces: path === key,
    }));
  },
  configure: (inputs) => {
    if (inputs.kubeconfig !== undefined) configuration = accessOf(inputs);
  },
  resource: (type) =>
    type === "kubernetes:helm.sh/v3:Release" ? releaseResource(access) : objectResource(access),
};
