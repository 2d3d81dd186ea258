# shellcheck shell=bash
# The approver of kubelets' serving certificates, as a unit of its own.

unit=oslo-cluster-kubelet-approver.service

check() {
  files_drift
  systemctl is-enabled --quiet $unit || echo "$unit does not start at boot"
  # Before there is a cluster it ends at once, again and again.
  if [[ -f $state/cluster ]]; then
    systemctl is-active --quiet $unit || echo "$unit is not running"
  fi
}

apply() {
  files_apply
  systemctl daemon-reload
  systemctl --quiet enable $unit
  systemctl restart $unit
  # Between two tries it is not active.
  if [[ -f $state/cluster ]]; then wait_until 60 "$unit is running" systemctl is-active --quiet $unit; fi
}
