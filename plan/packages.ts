import type { Config, NodeConfig } from "../config/config.ts";
import { effect, type StepEffects } from "./effect.ts";
import { type StepDocument, step } from "./step.ts";

/** What steps, gates, kubeadm and the proofs of `verify` need from the nodes' own distribution (Debian, Ubuntu). */
const distributionPackages = [
  "ca-certificates",
  "chrony",
  "conntrack",
  "curl",
  "gnupg",
  "iproute2",
  "iputils-arping",
  "iputils-clockdiff",
  "iputils-ping",
  "jq",
  "kmod",
  "nftables",
  "procps",
  "socat",
  "tcpdump",
];

/** What the gates of virtual machines need besides. */
const guestPackages = ["ethtool", "sysstat"];

/** Packages of the distribution, before anything is measured or built. */
export function prerequisitesStep({
  role,
  guest,
}: Pick<NodeConfig, "role" | "guest">): StepDocument {
  const packages = [
    ...distributionPackages,
    ...(role === "control-plane" ? ["fio"] : []),
    ...(guest ? guestPackages : []),
  ];
  return step("prerequisites", { PACKAGES: packages.join(" ") });
}

/** containerd and Kubernetes, each at one exact version from a repository with a pinned key. */
export function packagesStep({
  artifacts,
  kubernetes,
}: Pick<Config, "artifacts" | "kubernetes">): StepDocument {
  const { containerd, kubernetes: k8s } = artifacts;
  const version = `${kubernetes.version}-${kubernetes.packageRevision}`;
  const pins: [string, string][] = [
    ["containerd.io", kubernetes.containerd.packageVersion],
    ["kubeadm", version],
    ["kubectl", version],
    ["kubelet", version],
  ];
  return step(
    "packages",
    {
      PACKAGES: pins.map(([name, pin]) => `${name}=${pin}`).join(" "),
      KEYRINGS: "kubernetes containerd",
      KEY_URL_kubernetes: `${k8s.url}/Release.key`,
      KEY_FINGERPRINT_kubernetes: k8s.keyFingerprint,
      KEY_URL_containerd: `${containerd.url}/gpg`,
      KEY_FINGERPRINT_containerd: containerd.keyFingerprint,
    },
    {
      "/etc/apt/sources.list.d/oslo-cluster-kubernetes.list": `deb [signed-by=${keyring("kubernetes")}] ${k8s.url} /`,
      "/etc/apt/sources.list.d/oslo-cluster-containerd.list": `deb [signed-by=${keyring("containerd")}] ${containerd.url} ${containerd.suite} ${containerd.component}`,
      // apt itself keeps to the versions that were reviewed, also when someone upgrades by hand.
      "/etc/apt/preferences.d/oslo-cluster": pins
        .map(([name, pin]) => `Package: ${name}\nPin: version ${pin}\nPin-Priority: 1001\n`)
        .join("\n"),
    },
  );
}

function keyring(name: string): string {
  return `/etc/apt/keyrings/oslo-cluster-${name}.gpg`;
}

export const prerequisitesEffects: StepEffects = {
  again: effect("live", "packages of the distribution that are missing are installed"),
};

const heldPackages = effect(
  "impossible",
  "refused on a living node: put the version in use back, or make the cluster anew; upgrades are not built yet",
);

export const packagesEffects: StepEffects = {
  again: effect("live", "apt's sources and keys; the packages in use stay"),
  vars: { PACKAGES: heldPackages },
  files: { "/etc/apt/preferences.d/*": heldPackages },
};
