# shellcheck shell=bash
# haproxy as the node's own way to the API server, from before there is one.

unit=oslo-cluster-api.service
configuration=/etc/oslo-cluster/haproxy.cfg
# Seconds in which an API server that restarts listens again.
restart_seconds=30

check() {
  files_drift
  systemctl is-active --quiet $unit || echo "$unit is not running"
  systemctl is-enabled --quiet $unit || echo "$unit does not start at boot"
  # Once the node is a member, its API answers here.
  if [[ -f $state/cluster ]]; then
    # A control plane that is yet to come is found out by the balancer's checks, a moment after its reload.
    ready --retry 10 --retry-delay 1 --retry-all-errors --retry-max-time 10 || nobody_serves ||
      echo "no API server is ready at $READYZ"
  fi
}

apply() {
  haproxy -q -c -f "$WORK/files$configuration" || die "haproxy on $(hostname) rejects its configuration; its reason is above"
  files_apply
  # The distribution's own unit listens on nothing; where somebody else installed it, it is theirs.
  if grep -x haproxy "$state/packages" >/dev/null 2>&1; then systemctl --quiet disable --now haproxy.service; fi
  systemctl daemon-reload
  systemctl --quiet enable $unit
  if ! systemctl is-active --quiet $unit || [[ ${CHANGED[*]} == *.service* ]]; then
    systemctl restart $unit
  else
    systemctl reload $unit
  fi
  wait_until 30 "haproxy answers" test -S /run/oslo-cluster-api/admin.sock
  if [[ -f $state/cluster ]]; then
    restarted=$((SECONDS + restart_seconds))
    wait_until 60 "an API server is ready at $READYZ" carries
  fi
}

carries() { ready || { ((SECONDS >= restarted)) && nobody_serves; }; }

ready() { curl --fail --silent --insecure --max-time 5 --output /dev/null "$@" "$READYZ"; }

# On new machines that wait for a restore nothing listens yet, and the balancer is as good as it can be. A control
# plane that hangs, or is not ready, is no such machine.
nobody_serves() {
  local server refused
  while read -r server; do
    refused=0
    curl --silent --insecure --max-time 5 --output /dev/null "https://$server/readyz" || refused=$?
    ((refused == 7)) || return 1 # curl's "failed to connect"
  done < <(awk '$1 == "server" { print $3 }' $configuration)
}
