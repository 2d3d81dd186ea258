# shellcheck shell=bash
# An etcd that nobody else can reach, over data that is made or read while the cluster's own does not run on it: it
# listens on the sockets client and peer of its directory alone. Sourced after lib.sh.

# start_private_etcd DIRECTORY COMMAND...: its sockets and its log are in DIRECTORY.
start_private_etcd() {
  local directory=$1
  shift
  chmod 0700 "$directory"
  "$@" --listen-peer-urls "unix://$directory/peer" --listen-client-urls "unix://$directory/client" >"$directory/log" 2>&1 &
  # Not local: the trap may run when the function has returned.
  private_etcd=$!
  trap 'kill "$private_etcd" 2>/dev/null || true' EXIT
}

# It ended by itself. A child that has ended has no program any more.
private_etcd_ended() { [[ ! -e /proc/$private_etcd/exe ]]; }

# True if it ends by the signal that it is sent: it has closed its data.
end_private_etcd() {
  local status=0
  kill "$private_etcd" 2>/dev/null || true
  timeout 60 tail --follow --pid="$private_etcd" /dev/null || kill -KILL "$private_etcd" 2>/dev/null || true
  wait "$private_etcd" || status=$?
  trap - EXIT
  ((status == 143))
}
