import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

const heldPackages = effect(
  "impossible",
  "refused on a living node: put the version in use back, or re-create the cluster; upgrades are not built yet",
);

/** containerd and Kubernetes, each at one exact version from a repository with a pinned key. */
export const packages = defineStep({
  name: "packages",
  resource: "runtime",
  document({ artifacts, kubernetes }) {
    const { containerd, kubernetes: k8s } = artifacts;
    const version = `${kubernetes.version}-${kubernetes.packageRevision}`;
    const pins: [string, string][] = [
      ["containerd.io", kubernetes.containerd.packageVersion],
      ["kubeadm", version],
      ["kubectl", version],
      ["kubelet", version],
    ];
    return {
      vars: {
        PACKAGES: pins.map(([name, pin]) => `${name}=${pin}`).join(" "),
        KEYRINGS: "kubernetes containerd",
        KEY_URL_kubernetes: `${k8s.url}/Release.key`,
        KEY_FINGERPRINT_kubernetes: k8s.keyFingerprint,
        KEY_URL_containerd: `${containerd.url}/gpg`,
        KEY_FINGERPRINT_containerd: containerd.keyFingerprint,
      },
      files: {
        "/etc/apt/sources.list.d/oslo-cluster-kubernetes.list": `deb [signed-by=${keyring("kubernetes")}] ${k8s.url} /`,
        "/etc/apt/sources.list.d/oslo-cluster-containerd.list": `deb [signed-by=${keyring("containerd")}] ${containerd.url} ${containerd.suite} ${containerd.component}`,
        // apt itself keeps to the versions that were reviewed, also when someone upgrades by hand.
        "/etc/apt/preferences.d/oslo-cluster": pins
          .map(([name, pin]) => `Package: ${name}\nPin: version ${pin}\nPin-Priority: 1001\n`)
          .join("\n"),
      },
    };
  },
  effects: {
    default: effect("live", "apt's sources and keys; the packages in use stay"),
    vars: { PACKAGES: heldPackages },
    files: { "/etc/apt/preferences.d/*": heldPackages },
  },
});

function keyring(name: string): string {
  return `/etc/apt/keyrings/oslo-cluster-${name}.gpg`;
}
