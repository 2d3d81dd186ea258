#!/usr/bin/env bash
# Turns a fresh Debian tree into the image of a rented VPS: sshd by key only, addresses given by
# the provider, and no service that needs hardware which a container cannot have.
#
# usage: prepare-tree.sh TREE
set -euo pipefail

tree=${1:?usage: prepare-tree.sh TREE}

mask() {
  local unit
  for unit in "$@"; do ln -sfn /dev/null "$tree/etc/systemd/system/$unit"; done
}

# The lab gives every host its own identity when it boots.
rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/hostname" "$tree/etc/resolv.conf"
: >"$tree/etc/machine-id"

# The console, the network and the random seed come from the machine below.
mask getty.target console-getty.service systemd-networkd.service systemd-networkd.socket \
  systemd-networkd-wait-online.service systemd-resolved.service systemd-timesyncd.service \
  systemd-pstore.service systemd-random-seed.service systemd-firstboot.service \
  systemd-hwdb-update.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer fstrim.timer systemd-homed.service

cat >"$tree/etc/ssh/sshd_config.d/50-provider.conf" <<'CONF'
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
MaxStartups 64:30:128
MaxSessions 64
HostKey /etc/ssh/ssh_host_ed25519_key
CONF

# What a machine gives its own system and a container does not: writable cgroups, bpffs, shared
# mount propagation, the kernel's log.
install -D -m 0755 /dev/stdin "$tree/usr/local/sbin/lab-machine" <<'SCRIPT'
#!/bin/sh
set -eu
mount --make-rshared /
for mount in /sys/fs/cgroup /sys/fs/cgroup/*; do
  [ ! -L "$mount" ] || continue
  if mountpoint -q "$mount"; then mount -o remount,rw,bind "$mount"; fi
done
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
if [ ! -c /dev/kmsg ]; then
  umount /dev/kmsg 2>/dev/null || true
  rm -f /dev/kmsg
  mknod -m 0644 /dev/kmsg c 1 11
fi
SCRIPT
# A container's clock is the machine's: chronyd follows its sources but leaves the clock alone.
install -D -m 0644 /dev/stdin "$tree/etc/systemd/system/chrony.service.d/50-provider.conf" <<'CONF'
[Unit]
ConditionCapability=

[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd $DAEMON_OPTS -x
CONF

cat >"$tree/etc/systemd/system/lab-machine.service" <<'UNIT'
[Unit]
Description=What the machine gives to its system
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-machine

[Install]
WantedBy=sysinit.target
UNIT
mkdir -p "$tree/etc/systemd/system/sysinit.target.wants"
ln -sfn /etc/systemd/system/lab-machine.service \
  "$tree/etc/systemd/system/sysinit.target.wants/lab-machine.service"

# A log on disk, as a server has.
mkdir -p "$tree/var/log/journal" "$tree/root/.ssh"
chmod 0700 "$tree/root/.ssh"
