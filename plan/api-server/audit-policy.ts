/** Who did what: secrets and tokens by name only, reads of events and health not at all. */
export const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version"] },
    { level: "None", resources: [{ group: "", resources: ["events"] }] },
    // First of what concerns objects, whoever asks: the first rule that matches decides, and a node that
    // reads Secrets is what one wants to know of. By name only: their contents never land in the log.
    {
      level: "Metadata",
      resources: [
        { group: "", resources: ["secrets", "configmaps", "serviceaccounts/token"] },
        { group: "authentication.k8s.io", resources: ["tokenreviews"] },
      ],
    },
    {
      level: "None",
      users: ["system:kube-scheduler", "system:kube-controller-manager"],
      verbs: ["get", "list", "watch"],
    },
    { level: "None", userGroups: ["system:nodes"], verbs: ["get", "list", "watch"] },
    { level: "Request", verbs: ["create", "update", "patch", "delete", "deletecollection"] },
    { level: "Metadata" },
  ],
};
