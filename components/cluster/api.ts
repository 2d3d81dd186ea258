import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** How what lives in the cluster gets there. */
export interface ApiAccess {
  providers: { kubernetes: k8s.Provider };
  transformations: pulumi.ResourceTransformation[];
}

/** @param clusterName known in every preview: an unknown one would show all that is in the cluster as replaced */
export function apiAccess(
  clusterName: string,
  kubeconfig: pulumi.Input<string>,
  opts: pulumi.ResourceOptions,
): ApiAccess {
  const provider = new k8s.Provider(
    "api",
    {
      kubeconfig,
      clusterIdentifier: clusterName,
      enableServerSideApply: true,
      // An `up` that was killed, or lost its state, finds what it had made and takes it up again.
      upsertExistingObjects: true,
    },
    opts,
  );
  return { providers: { kubernetes: provider }, transformations: [ownFields] };
}

/**
 * Every `up` applies as the same field manager. By default each object's has a random name that is in the
 * state alone: after an `up` that was killed or lost its state, the fields that it had applied would belong
 * to nobody who still lives, refuse every other value, and stay when they are taken out of the plan. What
 * somebody else has written into a field of the plan gives way to the plan.
 */
const annotations = {
  "pulumi.com/patchFieldManager": "oslo-cluster",
  "pulumi.com/patchForce": "true",
};

const ownFields: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  if (!type.startsWith("kubernetes:") || type === releaseType) return undefined;
  const { metadata } = props;
  const all = { ...metadata?.annotations, ...annotations };
  return { props: { ...props, metadata: { ...metadata, annotations: all } }, opts };
};

/** Helm's own, which has no metadata. */
const releaseType = "kubernetes:helm.sh/v3:Release";
