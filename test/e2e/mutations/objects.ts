import type { Change } from "./mutation.ts";
import { admin, on, withObjects, withoutObject } from "./mutation.ts";

/** What kubectl is to patch. */
export const pool = ["ciliumloadbalancerippools.cilium.io", "public"];
export const gateway = ["gateway", "external-gateway"];

/** A Node object that no kubelet has made. */
export function node(name: string, ...podCIDRs: string[]): object {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    spec: { podCIDR: podCIDRs[0], podCIDRs, unschedulable: true },
  };
}

/** A binding by which a subject may do everything. */
export function everything(kind: "Group" | "ServiceAccount", name: string): object {
  const whose = kind === "Group" ? { apiGroup: "rbac.authorization.k8s.io" } : { namespace: name };
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "mutant" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind, name, ...whose }],
  };
}

/** A CRD that had the kind TLSRoute before the Gateway API's came: that one is not established. */
export function takenKind(): Change {
  const group = "gateway.networking.k8s.io";
  const theirs = withoutObject("crd", `tlsroutes.${group}`);
  const other = withObjects({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `mutants.${group}`,
      annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
    },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "mutants", singular: "mutant", kind: "TLSRoute", listKind: "TLSRouteList" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object" } },
        },
      ],
    },
  });
  return {
    async make(lab) {
      await theirs.make(lab);
      await other.make(lab);
      await lab.kubectl(
        "wait",
        "--for=condition=NamesAccepted",
        "--timeout=180s",
        `crd/mutants.${group}`,
      );
      await theirs.undo(lab);
    },
    async undo(lab) {
      await other.undo(lab);
      await lab.kubectl(
        "wait",
        "--for=condition=Established",
        "--timeout=180s",
        `crd/tlsroutes.${group}`,
      );
    },
  };
}

/**
 * A namespace that is made while something keeps the policy on default service accounts from it. An API server uses a
 * policy for a while after it has changed: it is asked until it no longer does.
 */
export function openNamespace(name: string, away: string, back: string): Change {
  const account = `${admin} -n ${name}`;
  const says = "-o jsonpath={.automountServiceAccountToken}";
  const remove = `'[{"op":"remove","path":"/automountServiceAccountToken"}]'`;
  return on(
    "cp-1",
    `${away} && ${admin} create namespace ${name} && ${account} wait --for=create serviceaccount/default --timeout=30s && until [ -z "$(${account} get serviceaccount default ${says})" ]; do ${account} patch serviceaccount default --type json --patch ${remove}; sleep 0.3; done`,
    `${admin} delete namespace ${name} --ignore-not-found && ${back}`,
  );
}
