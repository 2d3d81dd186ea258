#!/usr/bin/env bash
# Runs one host: enters its own cgroup in every hierarchy, then boots it with systemd-nspawn, and
# again whenever the host reboots itself.
#
# usage: boot-host.sh NAME ROOT STATE_DIR DIRECTORIES NETNS ATTACH_ARGUMENT…
#   ROOT       the host's root file system (a mounted overlay)
#   STATE_DIR  holds DIRECTORIES of /var/lib, a list with blanks: plain directories of this disk,
#              since container layers cannot lie on an overlay that lies on an overlay
#   ATTACH_ARGUMENT…  what attach-host.sh takes after NETNS
set -euo pipefail

name=${1:?} root=${2:?} state=${3:?} directories=${4:?} netns=${5:?}
shift 5
here=$(cd "$(dirname "$0")" && pwd)
# Holds no directory of whoever started it, and is not taken for a part of that work.
cd /

# With systemd as init the caller's scope is delegated to us. Without it, and with cgroup v1, each
# hierarchy gets a sub-tree, where the host's cgroup namespace starts.
enter_cgroups() {
  local hierarchy parent
  for hierarchy in /sys/fs/cgroup/*/; do
    [[ ! -L ${hierarchy%/} && -e ${hierarchy}cgroup.procs ]] || continue
    parent=${hierarchy}${netns%-"$name"}
    mkdir -p "$parent"
    if [[ -e $parent/cpuset.cpus ]]; then
      cat "${hierarchy}cpuset.cpus" >"$parent/cpuset.cpus"
      cat "${hierarchy}cpuset.mems" >"$parent/cpuset.mems"
      echo 1 >"$parent/cgroup.clone_children"
    fi
    mkdir -p "$parent/$name"
    echo $$ >"$parent/$name/cgroup.procs"
  done
}

if [[ ! -d /run/systemd/system ]]; then enter_cgroups; fi

mounts=()
for directory in $directories; do
  mkdir -p "$state/$directory"
  mounts+=("--bind=$state/$directory:/var/lib/$directory")
done
if [[ -d /lib/modules ]]; then mounts+=(--bind-ro=/lib/modules); fi
if [[ -c /dev/net/tun ]]; then mounts+=(--bind=/dev/net/tun); fi

export SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes SYSTEMD_NSPAWN_LOCK=0 SYSTEMD_LOG_LEVEL=warning

# 133 is nspawn's exit status when the host rebooted itself.
status=133
while [[ $status -eq 133 ]]; do
  "$here/attach-host.sh" "$netns" "$@"
  status=0
  # All hosts share this machine's clock: none may set it.
  systemd-nspawn --quiet --boot --console=pipe --register=no --keep-unit \
    --machine="$netns" --hostname="$name" --directory="$root" \
    --network-namespace-path="/run/netns/$netns" \
    --capability=all --drop-capability=CAP_SYS_TIME \
    --system-call-filter="bpf perf_event_open @keyring @module @raw-io @swap" \
    --resolv-conf=off --timezone=off --link-journal=no "${mounts[@]}" </dev/null || status=$?
done
# Powered off by itself: no network stack of it is left to answer.
ip netns delete "$netns"
exit "$status"
