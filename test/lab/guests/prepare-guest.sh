#!/usr/bin/env bash
# Turns a fresh Debian tree into what a cloud image holds before its first boot: no identity, a boot
# loader's configuration, and cloud-init that takes everything else from a NoCloud seed.
#
# usage: prepare-guest.sh TREE
set -euo pipefail

tree=${1:?usage: prepare-guest.sh TREE}

mask() {
  local unit
  for unit in "$@"; do ln -sfn /dev/null "$tree/etc/systemd/system/$unit"; done
}

# The first boot makes them; an empty machine-id, since "uninitialized" would have every kind of SSH
# host key made, and an RSA key takes long under emulation.
rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/hostname" "$tree/etc/resolv.conf" "$tree"/*.old
: >"$tree/etc/machine-id"
ln -sfn ../run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf"

printf 'LABEL=root / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1\n' >"$tree/etc/fstab"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$tree/etc/hosts"

# GRUB's modules lie where grub-install puts them; disk-image.sh writes the boot sectors.
mkdir -p "$tree/boot/grub/i386-pc"
cp "$tree"/usr/lib/grub/i386-pc/*.{mod,lst} "$tree/boot/grub/i386-pc/"
cat >"$tree/boot/grub/grub.cfg" <<'CONF'
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=0
menuentry Debian {
  linux /vmlinuz root=LABEL=root ro console=tty0 console=ttyS0,115200 mitigations=off quiet
  initrd /initrd.img
}
CONF

cat >"$tree/etc/cloud/cloud.cfg.d/90-datasource.cfg" <<'CONF'
datasource_list: [NoCloud, None]
CONF

# Work that a short-lived, emulated guest would do for nobody.
mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer grub-common.service systemd-pstore.service

# The tree's caches are those of its own packages: nothing to be made again at the first boot.
touch "$tree/etc/.updated" "$tree/var/.updated"
