# shellcheck shell=bash
# The kubelet's settings of this node, and that it has a serving certificate of the cluster's CA.
# shellcheck source=steps/api-servers.sh
source "${BASH_SOURCE[0]%/*}/api-servers.sh"
# shellcheck source=steps/kubelet-serving.sh
source "${BASH_SOURCE[0]%/*}/kubelet-serving.sh"

check() {
  files_drift
  if [[ -f $state/cluster ]]; then
    systemctl is-active --quiet kubelet || echo "kubelet is not running"
    serving_certificate >/dev/null || nobody_serves ||
      echo "the kubelet has no serving certificate of the cluster's CA ($(serving_certificate | tail -n 1)): see journalctl -u oslo-cluster-kubelet-approver on the control planes"
  fi
}

apply() {
  refuse_other_driver
  if [[ -f $state/cluster ]] && ! nobody_serves; then first_serving_certificate; fi
  files_apply
  files_prune /etc/kubernetes/kubelet.conf.d
  systemctl daemon-reload
  systemctl --quiet enable kubelet
  # Before kubeadm has finished there is nothing to restart.
  if [[ -f $state/cluster ]]; then
    systemctl restart kubelet
    wait_until 180 "kubelet is healthy" curl --fail --silent http://127.0.0.1:10248/healthz
    restarted=$((SECONDS + restart_seconds))
    wait_until 180 "the kubelet has a serving certificate" certified
  fi
}

# Where nobody can sign one, the kubelet asks when a control plane is back.
certified() { serving_certificate || nobody_comes; }

# Running pods stay in cgroups of the old driver, and the kubelet loses them.
refuse_other_driver() {
  local path=/etc/kubernetes/kubelet.conf.d/10-oslo-cluster.conf current wanted
  if [[ ! -f $state/cluster || ! -f $path ]]; then return; fi
  current=$(sed -n 's/^cgroupDriver: //p' "$path")
  wanted=$(sed -n 's/^cgroupDriver: //p' "$WORK/files$path")
  [[ $current == "$wanted" ]] ||
    die "cgroup driver $current is in use on a living node, and $wanted is asked for: put $current back, or re-create the node"
}
