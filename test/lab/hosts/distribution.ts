/** The Debian release that hosts run. */
export const debianSuite = "bookworm";

/** What a minimal VPS image has beyond Debian's essential packages. */
export const imagePackages = [
  "systemd",
  "systemd-sysv",
  "libpam-systemd",
  "dbus",
  "openssh-server",
  "iproute2",
  "procps",
  "kmod",
  "less",
  "ca-certificates",
] as const;

/**
 * What nodes may install from the distribution: the packages of the lab's Debian mirror, which
 * also holds all their dependencies.
 */
export const mirroredPackages = [
  "age",
  "apt-transport-https",
  "bpftool",
  "chrony",
  "conntrack",
  "curl",
  "ebtables",
  "ethtool",
  "fio",
  "gnupg",
  "haproxy",
  "ipset",
  "iptables",
  "iputils-arping",
  "iputils-clockdiff",
  "iputils-ping",
  "iputils-tracepath",
  "jq",
  "keepalived",
  "nftables",
  "openssh-client",
  "rclone",
  "socat",
  "sysstat",
  "tcpdump",
] as const;

/**
 * What a hypervisor has beyond a host's image. `seabios` and `ipxe-qemu` are named because nothing
 * that is only recommended gets installed.
 */
export const hypervisorPackages = [
  "curl",
  "ipxe-qemu",
  "iputils-arping",
  "iputils-ping",
  "iputils-tracepath",
  "jq",
  "libvirt-clients",
  "libvirt-daemon-system",
  "openssh-client",
  "qemu-system-x86",
  "qemu-utils",
  "seabios",
  "tcpdump",
  "xorriso",
] as const;
