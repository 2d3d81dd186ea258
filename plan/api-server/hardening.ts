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
