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
