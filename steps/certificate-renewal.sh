# shellcheck shell=bash
# The timer that renews this control plane's certificates.

timer=oslo-cluster-certificates.timer

check() {
  files_drift
  systemctl is-enabled --quiet $timer || echo "$timer does not start at boot"
  systemctl is-active --quiet $timer || echo "$timer is not running"
}

apply() {
  files_apply
  systemctl daemon-reload
  systemctl --quiet enable $timer
  systemctl restart $timer
}
