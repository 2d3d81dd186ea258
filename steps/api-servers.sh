# shellcheck shell=bash
# Whether any control plane has an API server to wait for, asked past the balancer. Sourced after lib.sh.

# shellcheck disable=SC2034 # read by steps
configuration=/etc/oslo-cluster/haproxy.cfg
# Seconds in which an API server that restarts listens again; a step sets `restarted` to when that is over.
restart_seconds=30

# On new machines that wait for a restore nothing listens yet, and a step of another node has nothing to wait for. A
# control plane that cannot be reached, hangs, or is not ready, is no such machine.
nobody_serves() {
  local server said servers
  mapfile -t servers < <(awk '$1 == "server" { print $3 }' $configuration)
  ((${#servers[@]} > 0)) || return 1
  for server in "${servers[@]}"; do
    # curl's exit code is the same for a host that refuses and for one that no route leads to.
    ! said=$(curl --silent --verbose --insecure --max-time 5 --output /dev/null "https://$server/readyz" 2>&1) || return 1
    [[ $said == *"Connection refused"* ]] || return 1
  done
}

nobody_comes() { ((SECONDS >= restarted)) && nobody_serves; }
