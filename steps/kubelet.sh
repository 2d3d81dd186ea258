# shellcheck shell=bash
# The kubelet's settings of this node.

check() {
  files_drift
  if [[ -f /var/lib/kubelet/config.yaml ]]; then
    systemctl is-active --quiet kubelet || echo "kubelet is not running"
  fi
}

apply() {
  files_apply
  files_prune /etc/kubernetes/kubelet.conf.d
  systemctl daemon-reload
  systemctl --quiet enable kubelet
  # Before kubeadm has run there is nothing to restart.
  if [[ -f /var/lib/kubelet/config.yaml ]]; then
    systemctl restart kubelet
    wait_until 60 "kubelet is healthy" curl --fail --silent http://127.0.0.1:10248/healthz
  fi
}
