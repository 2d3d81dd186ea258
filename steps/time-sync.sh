# shellcheck shell=bash
# chrony, against the configured servers alone.

check() {
  files_drift
  systemctl is-active --quiet chrony || echo "chrony is not running"
}

apply() {
  files_apply
  systemctl --quiet enable chrony
  systemctl restart chrony
}
