import { effect } from "../effect.ts";
import { defineStep } from "../step.ts";

/** What steps, gates, kubeadm and the proofs of `verify` need from the nodes' own distribution (Debian, Ubuntu). */
const distributionPackages = [
  "ca-certificates",
  "chrony",
  "conntrack",
  "curl",
  "gnupg",
  "haproxy",
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

/** What copies of the cluster's state need: they are encrypted, sent, and reports of rehearsals checked. */
const backupPackages = ["age", "openssh-client", "rclone"];

/** What the gates of virtual machines need besides. */
const guestPackages = ["ethtool", "sysstat"];

/** Packages of the distribution, before anything is measured or built. */
export const prerequisites = defineStep({
  name: "prerequisites",
  resource: "claim",
  document({ backup, cluster }, { role, guest }) {
    const backsUp = role === "control-plane" && backup.targets.length > 0;
    const packages = [
      ...distributionPackages,
      ...(role === "control-plane" ? ["fio"] : []),
      ...(role === "control-plane" && cluster.endpoint.virtualAddress ? ["keepalived"] : []),
      ...(backsUp ? backupPackages : []),
      ...(guest ? guestPackages : []),
    ];
    return { vars: { PACKAGES: packages.join(" ") } };
  },
  effects: {
    default: effect("live", "packages of the distribution that are missing are installed"),
  },
});
