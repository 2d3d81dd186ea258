#!/usr/bin/env bash
# Gives a machine back: ends Kubernetes on it and removes what the steps have put there, and nothing else.
# Complete in itself and safe to repeat: it may run after an `up` that got nowhere.
set -Eeuo pipefail
trap 'echo "error: release of $(hostname) stopped at line $LINENO: $BASH_COMMAND" >&2' ERR
cluster=$1
state=/var/lib/oslo-cluster
# The kubelet writes it, for shutdownGracePeriod.
shutdown_grace=/etc/systemd/logind.conf.d/99-kubelet.conf

main() {
  if [[ ! -d $state ]]; then
    echo "nothing of cluster $cluster on $(hostname)"
    return
  fi
  owner=$(sed -n 's/^clusterId=//p' "$state/claim" 2>/dev/null || true)
  if [[ -n $owner && $owner != "$cluster" ]]; then
    echo "$(hostname) belongs to cluster $owner: left alone"
    return
  fi
  (umask 077 && : >>/run/oslo-release.lock) # who may read it may hold it
  exec 9>/run/oslo-release.lock
  flock --timeout 300 9
  stop_steps
  end_kubernetes
  end_containerd
  restore_files
  restore_sysctls
  purge_packages
  remove_directories
  [[ ! -e $state/swap-masked ]] || systemctl --quiet unmask swap.target
  systemctl daemon-reload
  rm -rf /run/oslo-cluster /etc/oslo-cluster /var/log/oslo-cluster /usr/local/lib/oslo-cluster
  rm -rf "$state" # last: until here a repeated run finds its way
  rm -f /run/oslo-release.lock
  echo "released $(hostname)"
}

stop_steps() {
  # Before their files go; what was copied to targets stays there.
  sed -n 's#^/etc/systemd/system/\(oslo-cluster-[^/]*\)$#\1#p' "$state/files" 2>/dev/null |
    xargs --no-run-if-empty systemctl --quiet disable --now 2>/dev/null || true
  systemctl stop 'oslo-cluster-*' 'oslo-step-*' 2>/dev/null || true
}

# What kubeadm made here; a machine that never came so far is not touched.
end_kubernetes() {
  [[ -e $state/initializing || -e $state/joining ]] || return 0
  if command -v kubeadm >/dev/null; then
    # No API server is asked: the cluster is removed as a whole, or the node was drained before.
    timeout 300 kubeadm reset --force --skip-phases remove-etcd-member --cri-socket unix:///run/containerd/containerd.sock >/dev/null 2>&1 || true
  fi
  systemctl stop kubelet 2>/dev/null || true
  if command -v ctr >/dev/null && systemctl is-active --quiet containerd; then
    end_containers
  fi
  systemctl stop kubepods.slice 2>/dev/null || true # and those of all pods below it
  unmount_below /var/lib/kubelet/ /run/netns/cni- /run/cilium/
  remove_network
  keep_strange_data
  empty /var/lib/kubelet /var/lib/etcd /var/lib/cni /var/lib/cilium
  rm -rf /etc/kubernetes /etc/cni/net.d /run/cilium /var/log/pods /var/log/containers /var/log/kubernetes \
    /opt/cni/bin/cilium-cni /etc/sysctl.d/99-zzz-override_cilium.conf
  if [[ -e $shutdown_grace ]]; then
    rm "$shutdown_grace"
    systemctl try-reload-or-restart systemd-logind 2>/dev/null || true
  fi
}

# Data without this member's mark beside them are not its own: the disk is another one. They stay, under another name.
keep_strange_data() {
  local kept
  [[ -e $state/etcd-data && -d /var/lib/etcd/member ]] || return 0 # whoever never voted has no mark yet
  if cmp --silent "$state/etcd-data" /var/lib/etcd/oslo-cluster; then return 0; fi
  kept=/var/lib/etcd/member.kept-$(date --utc +%Y%m%dT%H%M%SZ)
  mv /var/lib/etcd/member "$kept"
  echo "kept on $(hostname): $kept, which is not what this machine's member of etcd has written"
}

# Only a containerd that the steps have installed: another one holds somebody's data.
end_containerd() {
  grep -x containerd.io "$state/packages" >/dev/null 2>&1 || return 0
  systemctl stop containerd 2>/dev/null || true
  # Shims outlive containerd by design.
  pkill --full '^/usr/bin/containerd-shim-runc-v2 -namespace k8s.io' 2>/dev/null || true
  unmount_below /run/containerd/ /var/lib/containerd/
  empty /var/lib/containerd
  rm -rf /run/containerd
}

# Not the directories themselves: they may be disks of their own.
empty() {
  local directory
  for directory in "$@"; do
    [[ ! -d $directory ]] || find "$directory" -mindepth 1 ! -path "$directory/member.kept-*" -delete 2>/dev/null || true
  done
}

end_containers() {
  local id
  for id in $(ctr --namespace k8s.io tasks list --quiet 2>/dev/null); do
    ctr --namespace k8s.io tasks delete --force "$id" >/dev/null 2>&1 || true
  done
}

unmount_below() {
  local directory mount
  for directory in "$@"; do
    awk -v d="$directory" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort --reverse | while IFS= read -r mount; do
      umount --lazy "$mount" 2>/dev/null || true
    done
  done
}

# What Cilium leaves: its devices (their programs with them), its pinned programs, its routes.
remove_network() {
  local link
  for link in cilium_host cilium_net cilium_vxlan cilium_geneve; do
    ip link delete "$link" 2>/dev/null || true
  done
  for link in $(ip -o link show | awk -F'[:@ ]+' '$2 ~ /^lxc/ { print $2 }'); do
    ip link delete "$link" 2>/dev/null || true
  done
  rm -rf /sys/fs/bpf/cilium /sys/fs/bpf/tc/globals/cilium_* 2>/dev/null || true
  detach_programs
  restore_routing -4
  [[ ! -d /proc/sys/net/ipv6 ]] || restore_routing -6
  for tool in iptables ip6tables; do
    if command -v "$tool-save" >/dev/null && "$tool-save" 2>/dev/null | grep 'CILIUM_\|KUBE-' >/dev/null; then
      "$tool-save" | grep -v 'CILIUM_\|KUBE-' | "$tool-restore" || true
    fi
  done
}

# Before kernel 6.6 Cilium's programs are filters of the interface, which stay when their pins go.
detach_programs() {
  local link direction
  command -v tc >/dev/null || return 0
  for link in $(ip -o link show | awk -F'[:@ ]+' '{ print $2 }'); do
    for direction in ingress egress; do
      if tc filter show dev "$link" "$direction" 2>/dev/null | grep cil_ >/dev/null; then
        tc filter delete dev "$link" "$direction" || true
      fi
    done
    if ip -d link show dev "$link" | grep cil_xdp >/dev/null; then
      ip link set dev "$link" xdp off || true
    fi
  done
}

# Cilium moves the rule for the machine's own addresses from priority 0 to 100: without it, nothing
# that is sent to this machine arrives, SSH included. It is put back before the other one is removed.
restore_routing() {
  local family=$1 table route
  ip "$family" rule show | grep '^0:.*lookup local' >/dev/null || ip "$family" rule add priority 0 lookup local
  ip "$family" rule delete priority 100 lookup local 2>/dev/null || true
  for table in 2004 2005; do
    while ip "$family" rule delete lookup "$table" 2>/dev/null; do :; done
    ip "$family" route flush table "$table" 2>/dev/null || true
  done
  # Routes to peers' pods: the kernel's own never have a gateway.
  ip "$family" route show proto kernel | sed -n '/ via /p' | while IFS= read -r route; do
    # shellcheck disable=SC2086 # words are wanted
    ip "$family" route delete $route || true
  done
}

restore_files() {
  local path
  [[ -f $state/files ]] || return 0
  while IFS= read -r path; do
    if [[ -e $state/backup$path ]]; then
      cp -a "$state/backup$path" "$path"
    else
      rm -f "$path"
    fi
  done <"$state/files"
  sysctl --quiet --system >/dev/null 2>&1 || true
}

# Values as they were: what no file of the machine sets would stay until its next boot.
restore_sysctls() {
  local key value
  [[ -f $state/sysctls ]] || return 0
  while IFS='=' read -r key value; do
    echo "$value" >"/proc/sys/$(tr ./ /. <<<"$key")" || true
  done <"$state/sysctls" 2>/dev/null
}

# Directories that the steps, the kubelet and containerd have made: not disks, nor what somebody else uses.
remove_directories() {
  local directory
  {
    cat "$state/directories" 2>/dev/null || true
    if [[ -e $state/initializing || -e $state/joining ]]; then
      printf '%s\n' "${shutdown_grace%/*}" /etc/cni /var/lib/{kubelet,etcd,cni,cilium}
    fi
    if grep -x containerd.io "$state/packages" >/dev/null 2>&1; then
      printf '%s\n' /etc/containerd /var/lib/containerd /opt/containerd/{bin,lib} /opt/containerd
    fi
  } | LC_ALL=C sort --reverse --unique | while IFS= read -r directory; do
    rmdir --ignore-fail-on-non-empty "$directory" 2>/dev/null || true
  done
}

purge_packages() {
  local packages=()
  [[ -f $state/packages ]] || return 0
  mapfile -t packages < <(sort --unique "$state/packages")
  ((${#packages[@]} > 0)) || return 0
  apt-mark unhold "${packages[@]}" >/dev/null 2>&1 || true
  if ! DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet --yes -o DPkg::Lock::Timeout=300 \
    --allow-change-held-packages purge "${packages[@]}" >/dev/null 2>&1; then
    echo "some packages could not be purged on $(hostname): ${packages[*]}"
    # The same for programs, as steps/ssh/left.ts reads it; no name of a package needs quoting.
    printf 'oslo-cluster-left: {"machine":"%s","kind":"packages","packages":[%s]}\n' "$(hostname)" \
      "$(printf '"%s"\n' "${packages[@]}" | paste --serial --delimiters ,)"
  fi
  remove_groups
}

# Purging takes users along, not their groups.
remove_groups() {
  local group
  [[ -f $state/groups ]] || return 0
  while IFS= read -r group; do
    groupdel "$group" 2>/dev/null || true # gone already, or somebody's by now
  done <"$state/groups"
}

main
