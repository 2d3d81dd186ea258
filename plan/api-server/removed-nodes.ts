import { renderYaml } from "../yaml.ts";

const name = "oslo-cluster-removed-nodes";
const namespace = "kube-system";

/**
 * What a node's client certificate may do once the node has left. A certificate cannot be revoked: it
 * could make its Node again, get pods scheduled to it, and read their Secrets; and renew itself for ever.
 * Names are added by `leave` and taken out by the next join of the name; reads need no rule, for the
 * node authorizer gives a node what its pods have, and it has none.
 */
export function removedNodes(): string {
  return renderYaml(
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name },
      spec: {
        failurePolicy: "Fail",
        paramKind: { apiVersion: "v1", kind: "ConfigMap" },
        matchConstraints: {
          resourceRules: [
            { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"] },
          ],
        },
        matchConditions: [
          { name: "nodes", expression: "request.userInfo.username.startsWith('system:node:')" },
        ],
        validations: [
          {
            expression:
              "!has(params.data) || !(request.userInfo.username.substring(12) in params.data)",
            messageExpression:
              "'node ' + request.userInfo.username.substring(12) + ' has left the cluster; its certificate may write nothing'",
          },
        ],
      },
    },
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name },
      spec: {
        policyName: name,
        paramRef: { name, namespace, parameterNotFoundAction: "Allow" },
        validationActions: ["Deny", "Audit"],
      },
    },
  );
}
