# shellcheck shell=bash
# Whose turn it is to renew certificates, and whether the other control planes can do without this one meanwhile.
# Sourced after lib.sh, etcd.sh and turn.sh, with NODE and is_urgent set.

# No run outlives it: systemd ends them after 25 minutes.
turn_seconds=1800

take_renewal_turn() {
  local status=0
  take_turn certificates "$NODE" "$turn_seconds" || status=$?
  if ((status == 0)); then return; fi
  if [[ -z $is_urgent ]]; then
    ((status == 1)) || die "$NODE cannot take its turn to renew certificates: etcd has no quorum"
    say "$turn_holder renews certificates; $NODE does when it has ended"
    return 1
  fi
  say "no turn in etcd, and certificates end soon: nobody is waited for"
}

# Waits until the other control planes are whole, before something is taken from this one.
others_first() {
  if (wait_until 120 "before $1 is touched, the other control planes are healthy" others_healthy); then return; fi
  [[ -n $is_urgent ]] || exit 1
  say "certificates end soon: $1 is renewed all the same"
}

# etcd keeps its quorum without this member, and this node's balancer sends requests to every other API server.
others_healthy() {
  local members name state client away
  members=$(etcd_members) || return
  while IFS=$'\t' read -r _ name state _ client; do
    [[ $state == voter && $name != - ]] || { echo "etcd: $name is a learner or has not started" && return 1; }
    [[ $name == "$NODE" ]] || etcd_healthy "$client" || { echo "etcd: $name is not healthy" && return 1; }
  done <<<"$members"
  away=$(balancers | awk -v own="$NODE" '$1 != own && $2 != "UP" { print $1 }')
  [[ -z $away ]] || { echo "the balancer sends nothing to $away" && return 1; }
}

# A line for each control plane: its name, and UP where the balancer of this node sends requests to it.
balancers() {
  socat -t 5 - UNIX-CONNECT:/run/oslo-cluster-api/admin.sock <<<"show stat" |
    awk -F, '$1 == "control-planes" && $2 != "BACKEND" { split($18, state, " "); print $2, state[1] }'
}

balanced() { balancers | grep --line-regexp "$1 UP" >/dev/null; }
