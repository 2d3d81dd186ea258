import { renderYaml } from "../yaml.ts";

const name = "oslo-cluster-default-service-accounts";
const apiVersion = "admissionregistration.k8s.io/v1";

/**
 * Whether the API server takes the kind as v1, on without a gate.
 * @param minor Of Kubernetes, `1.36`
 */
export function canMutate(minor: string): boolean {
  return Number(minor.split(".")[1]) >= 36;
}

/**
 * A namespace's default service account mounts no token where nobody says that it shall: also in
 * namespaces that are made later. Who writes `automountServiceAccountToken` is left alone.
 */
export function defaultServiceAccounts(): string {
  return renderYaml(
    {
      apiVersion,
      kind: "MutatingAdmissionPolicy",
      metadata: { name },
      spec: {
        failurePolicy: "Fail",
        reinvocationPolicy: "Never",
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [""],
              apiVersions: ["v1"],
              operations: ["CREATE", "UPDATE"],
              resources: ["serviceaccounts"],
              resourceNames: ["default"],
            },
          ],
        },
        matchConditions: [
          { name: "unsaid", expression: "!has(object.automountServiceAccountToken)" },
        ],
        mutations: [
          {
            patchType: "ApplyConfiguration",
            applyConfiguration: { expression: "Object{automountServiceAccountToken: false}" },
          },
        ],
      },
    },
    {
      apiVersion,
      kind: "MutatingAdmissionPolicyBinding",
      metadata: { name },
      spec: { policyName: name },
    },
  );
}
