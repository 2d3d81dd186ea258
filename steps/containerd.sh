# shellcheck shell=bash
# containerd's configuration, its mirrors, and the service.

check() {
  files_drift
  systemctl is-active --quiet containerd || echo "containerd is not running"
}

apply() {
  files_apply
  files_prune /etc/containerd/certs.d
  systemctl daemon-reload
  systemctl --quiet enable containerd
  # Mirrors are read at each pull; the rest is read at start.
  if [[ ${CHANGED[*]} == *config.toml* || ${CHANGED[*]} == *.service.d* ]] || ! systemctl is-active --quiet containerd; then
    systemctl restart containerd
  fi
  wait_until 180 "containerd answers" ctr version
}
