# shellcheck shell=bash
# A worker. The token comes on stdin, lives in memory, and is used at once.

join_document=/etc/oslo-cluster/kubeadm-join.yaml

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
  if [[ -f $state/cluster ]] && member; then
    files_apply
    return
  fi
  if [[ -e /etc/kubernetes/kubelet.conf || -e /etc/kubernetes/bootstrap-kubelet.conf || -e /etc/kubernetes/pki/ca.crt ]]; then
    [[ -f $state/joining ]] ||
      die "$(hostname) is a node of a cluster that this program did not make; release it with kubeadm reset, or take another machine"
    say "an earlier join did not finish: reset"
    kubeadm reset --force --cri-socket unix:///run/containerd/containerd.sock
  fi
  date --utc +%FT%TZ >"$state/joining"
  files_apply
  say "kubeadm join"
  (
    umask 077
    sed "s|__TOKEN__|$TOKEN|; s|__CA_CERT_HASH__|$CA_CERT_HASH|" "$join_document" >"$WORK/join.yaml"
  )
  trap 'rm -f "$WORK/join.yaml"' EXIT
  kubeadm join --config "$WORK/join.yaml"
  wait_until 60 "node $NODE is in the cluster" member
  date --utc +%FT%TZ >"$state/cluster"
}

member() { kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$NODE" >/dev/null 2>&1; }
