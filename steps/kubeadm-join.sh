# shellcheck shell=bash
# A worker. The token comes on stdin, lives in memory, and is used at once.

check() {
  files_drift
  if [[ ! -f $state/cluster ]]; then
    echo "kubeadm join has not finished"
    return
  fi
  systemctl is-active --quiet kubelet || echo "kubelet is not running"
  member || echo "node $NODE is not in the cluster"
}

apply() {
  # A node that cannot be asked now is no node that was lost: only the API's own word counts.
  if [[ -f $state/cluster ]] && ! deleted; then
    wait_until 180 "node $NODE answers for itself" member
    files_apply
    return
  fi
  if [[ -f $state/joining ]] && systemctl is-active --quiet kubelet && member; then
    say "an earlier join had all but finished"
    rm -f /etc/kubernetes/bootstrap-kubelet.conf
    files_apply
    joined
    return
  fi
  if [[ -e /etc/kubernetes/kubelet.conf || -e /etc/kubernetes/bootstrap-kubelet.conf || -e /etc/kubernetes/pki/ca.crt ]]; then
    [[ -f $state/joining ]] ||
      die "$(hostname) is a node of a cluster that this program did not make; release it with kubeadm reset, or take another machine"
    say "an earlier join did not finish, or the node was deleted: reset"
    rm -f "$state/cluster"
    kubeadm reset --force --cri-socket unix:///run/containerd/containerd.sock
  fi
  [[ -n ${TOKEN:-} ]] || die "$(hostname) cannot join: no control plane has given it a token${SILENT:+ (no answer from $SILENT)}"
  date --utc +%FT%TZ >"$state/joining"
  files_apply
  say "kubeadm join"
  join_documents
  kubeadm join --config "$WORK/join.yaml" 2>&1 | tee "$WORK/join.log" || refused
  wait_until 180 "node $NODE is in the cluster" member
  joined
}

# kubeadm takes no name that another machine answers for.
refused() {
  if grep --fixed-strings "already exists in the cluster" "$WORK/join.log" >/dev/null; then
    die "the cluster has a Ready node $NODE, which is not $(hostname): give this machine another name; or, if that node's machine is gone, run again once the node is not Ready any more, or on the control plane: oslo-step leave $NODE 300"
  fi
  die "kubeadm join failed on $(hostname); its reason is above, and more in journalctl -u kubelet"
}

joined() { date --utc +%FT%TZ >"$state/cluster"; }

# Only where the API server itself says so.
deleted() {
  local answer
  if answer=$(kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$NODE" 2>&1); then return 1; fi
  [[ $answer == *"(NotFound)"* ]]
}

member() { kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$NODE" >/dev/null 2>&1; }
