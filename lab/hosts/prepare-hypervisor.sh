#!/usr/bin/env bash
# Finishes the tree of a hypervisor, after prepare-tree.sh: libvirt as its packages leave it.
#
# usage: prepare-hypervisor.sh TREE
set -euo pipefail

tree=${1:?usage: prepare-hypervisor.sh TREE}

# The package's own network wants dnsmasq, and nobody uses it.
rm -f "$tree/etc/libvirt/qemu/networks/autostart/default.xml"

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
