# shellcheck shell=bash
# haproxy as the node's own way to the API server, from before there is one.

# shellcheck source=steps/api-servers.sh
source "${BASH_SOURCE[0]%/*}/api-servers.sh"

unit=oslo-cluster-api.service

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

carries() { ready || nobody_comes; }

ready() { curl --fail --silent --insecure --max-time 5 --output /dev/null "$@" "$READYZ"; }
