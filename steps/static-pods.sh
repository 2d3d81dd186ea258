# shellcheck shell=bash
# Static pods, by their manifests and containers. Sourced after lib.sh and containers.sh.

# Restarts a static pod: its manifest is moved away until its container has ended. It is put back whatever
# happens; after a kill, by the next restart.
restart_static_pod() {
  local name=$1
  # Not local: the trap runs when the function has returned.
  manifest=/etc/kubernetes/manifests/$name.yaml aside=/etc/kubernetes/$name.yaml.restarting
  trap 'if [[ -e $aside ]]; then mv "$aside" "$manifest"; fi' EXIT
  trap 'exit 143' TERM
  if [[ -e $manifest ]]; then mv "$manifest" "$aside"; fi
  wait_until 180 "$name stopped" stopped "$name"
  if [[ -e $aside ]]; then mv "$aside" "$manifest"; fi
  trap - EXIT TERM
}

# A flag's value in a static pod's manifest: manifest_flag FLAG FILE
manifest_flag() { sed -n "s/^ *- --$1=//p" "$2" | head -n 1; }

stopped() {
  local running
  running=$(system_containers "$1") || return
  [[ -z $running ]] || { echo "running: $running" && return 1; }
}
