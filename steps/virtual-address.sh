# shellcheck shell=bash
# keepalived as the holder of the API's virtual address, where the stack's file has one.

unit=oslo-cluster-virtual-address.service

check() {
  files_drift
  if [[ $ADDRESS == none ]]; then
    ! systemctl is-enabled --quiet $unit 2>/dev/null || echo "$unit is on, and there is no virtual address"
    return
  fi
  systemctl is-active --quiet $unit || echo "$unit is not running"
  systemctl is-enabled --quiet $unit || echo "$unit does not start at boot"
  ready || echo "no API server is ready at $READYZ"
}

apply() {
  if [[ $ADDRESS == none ]]; then
    if [[ -e /etc/systemd/system/$unit ]]; then
      systemctl --quiet disable --now $unit
      rm -f "/etc/systemd/system/$unit" /etc/oslo-cluster/keepalived.conf
      systemctl daemon-reload
    fi
    return
  fi
  keepalived --config-test --use-file="$WORK/files/etc/oslo-cluster/keepalived.conf" >"$WORK/said" 2>&1 ||
    die "keepalived on $(hostname) rejects its configuration: $(cat "$WORK/said")"
  files_apply
  # The distribution's own unit has nothing to serve; where somebody else installed it, it is theirs.
  if grep -x keepalived "$state/packages" >/dev/null 2>&1; then systemctl --quiet disable --now keepalived.service; fi
  systemctl daemon-reload
  systemctl --quiet enable $unit
  if ! systemctl is-active --quiet $unit || [[ ${CHANGED[*]} == *.service* ]]; then
    systemctl restart $unit
  elif ((${#CHANGED[@]} > 0)); then
    systemctl reload $unit
  fi
  wait_until 60 "an API server is ready at $READYZ" ready
}

ready() { curl --fail --silent --max-time 5 --output /dev/null --cacert /etc/kubernetes/pki/ca.crt "$READYZ"; }
