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

/**
 * Who has no credential asks for health and for nothing else, whatever RBAC may say: load balancers and
 * the kubelet's probes need that.
 * @param minor Of Kubernetes, `1.36`; the kind is v1 since 1.34.
 */
export function authenticationConfiguration(minor: string) {
  const version = Number(minor.split(".")[1]) < 34 ? "v1beta1" : "v1";
  return {
    apiVersion: `apiserver.config.k8s.io/${version}`,
    kind: "AuthenticationConfiguration",
    anonymous: {
      enabled: true,
      conditions: ["/livez", "/readyz", "/healthz"].map((path) => ({ path })),
    },
  };
}

/** Pod Security: enforce baseline, warn at restricted; kube-system holds the agents and is exempt. */
export const admissionConfiguration = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AdmissionConfiguration",
  plugins: [
    {
      name: "PodSecurity",
      configuration: {
        apiVersion: "pod-security.admission.config.k8s.io/v1",
        kind: "PodSecurityConfiguration",
        defaults: {
          enforce: "baseline",
          "enforce-version": "latest",
          warn: "restricted",
          "warn-version": "latest",
        },
        exemptions: { namespaces: ["kube-system"] },
      },
    },
  ],
};

/** Secrets at rest. secretbox is authenticated; aescbc and aesgcm have known weaknesses here. */
export function encryptionConfiguration(key: string) {
  return {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
    resources: [
      {
        resources: ["secrets"],
        providers: [{ secretbox: { keys: [{ name: "key1", secret: key }] } }, { identity: {} }],
      },
    ],
  };
}

/** Arguments of the control plane that CIS asks for and kubeadm leaves out. */
export const hardening = {
  apiServer: {
    // The first is kubeadm's own. The second: whoever may make a Service must not take over an address
    // of others (CVE-2020-8554).
    "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs",
    profiling: "false",
    // Tokens of pods end after the hour that they say, not after a year.
    "service-account-extend-token-expiration": "false",
  },
  controllers: { profiling: "false" },
};
