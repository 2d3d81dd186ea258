#!/usr/bin/env bash
# Finishes the tree of a hypervisor, after prepare-tree.sh: libvirt as its packages leave it.
#
# usage: prepare-hypervisor.sh TREE
set -euo pipefail

tree=${1:?usage: prepare-hypervisor.sh TREE}
here=$(dirname "$0")

# The package's own network wants dnsmasq, and nobody uses it.
rm -f "$tree/etc/libvirt/qemu/networks/autostart/default.xml"

# A bridge's frames are no business of the hypervisor's firewall. Elsewhere br_netfilter is a module
# that nobody loads; a kernel that has it built in starts with it on.
echo 'net.bridge.bridge-nf-call-*tables = 0' >"$tree/etc/sysctl.d/50-bridge.conf"

# VLAN devices also where the kernel has none.
install -d "$tree/usr/local/lib/lab"
gcc -Wall -Wextra -Werror -O2 -static -o "$tree/usr/local/lib/lab/vlan-programs" "$here/vlan/vlan-programs.c"
install -m 0755 "$here/vlan/add-vlan.sh" "$tree/usr/local/lib/lab/add-vlan"
install -m 0755 "$here/vlan/ip.sh" "$tree/usr/local/sbin/ip"

# What a machine gives its own system and a container does not: a view of its own links below /sys.
install -D -m 0755 /dev/stdin "$tree/usr/local/sbin/lab-links" <<'SCRIPT'
#!/bin/sh
set -eu
own=$(mktemp -d /run/sysfs.XXXXXX)
mount -t sysfs sysfs "$own"
for directory in class/net devices/virtual/net; do
  mount --bind "$own/$directory" "/sys/$directory"
done
umount "$own"
rmdir "$own"
SCRIPT
cat >"$tree/etc/systemd/system/lab-links.service" <<'UNIT'
[Unit]
Description=The machine's own links
DefaultDependencies=no
After=lab-machine.service
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-links

[Install]
WantedBy=sysinit.target
UNIT
ln -sfn /etc/systemd/system/lab-links.service \
  "$tree/etc/systemd/system/sysinit.target.wants/lab-links.service"
