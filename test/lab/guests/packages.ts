/** The Debian release that guests run. */
export const guestSuite = "trixie";

/**
 * What the guests' image has beyond Debian's essential packages: what Debian's genericcloud image
 * boots and configures itself with, and what nodes would otherwise install at their first contact.
 * Left out for what they cost an emulated guest: AppArmor, whose profiles take 45 seconds to compile at
 * the first boot, and libpam-systemd, which starts a user's manager at every login.
 */
export const guestPackages = [
  "systemd",
  "systemd-sysv",
  "systemd-resolved",
  "dbus",
  "udev",
  "linux-image-cloud-amd64",
  "initramfs-tools",
  "zstd",
  "grub-pc-bin",
  "grub2-common",
  "e2fsprogs",
  "fdisk",
  "cloud-init",
  "cloud-guest-utils",
  "netplan.io",
  "openssh-server",
  "sudo",
  "less",
  "ca-certificates",
  "chrony",
  "conntrack",
  "curl",
  "ethtool",
  "fio",
  "gnupg",
  "haproxy",
  "iproute2",
  "iputils-arping",
  "iputils-clockdiff",
  "iputils-ping",
  "iputils-tracepath",
  "jq",
  "kmod",
  "linux-sysctl-defaults",
  "nftables",
  "procps",
  "socat",
  "sysstat",
  "tcpdump",
] as const;
