# shellcheck shell=bash
# Whose turn it is to renew certificates, and whether the other control planes can do without this one meanwhile.
# Sourced after lib.sh and etcd.sh, with NODE and is_urgent set.

# A key in etcd that lives as long as its lease: taking it needs a quorum. It outlives a run that was killed, and no run
# outlives it: systemd ends them after 25 minutes.
turn_key=$(printf oslo-cluster/certificates | base64)
turn_seconds=1800
turn=

take_turn() {
  local lease answer holder
  if lease=$(etcd lease/grant "{\"TTL\":\"$turn_seconds\"}" | jq --raw-output .ID) && answer=$(put_turn "$lease"); then
    if [[ $(jq .succeeded <<<"$answer") == true ]]; then
      turn=$lease
      return
    fi
    etcd lease/revoke "{\"ID\":\"$lease\"}" >/dev/null
    holder=$(jq --raw-output '.responses[0].response_range.kvs[0] | .value' <<<"$answer" | base64 --decode)
    if [[ $holder == "$NODE" ]]; then
      # Of a run that was killed: this machine has one at a time.
      etcd lease/revoke "{\"ID\":\"$(jq --raw-output '.responses[0].response_range.kvs[0].lease' <<<"$answer")\"}" >/dev/null
      take_turn
      return
    fi
    [[ -n $is_urgent ]] || { say "$holder renews certificates; $NODE does when it has ended" && return 1; }
  fi
  [[ -n $is_urgent ]] || die "etcd gives $NODE no turn: no quorum answers"
  say "no turn in etcd, and certificates end soon: nobody is waited for"
}

put_turn() {
  etcd kv/txn "$(jq --null-input --arg key "$turn_key" --arg value "$(printf %s "$NODE" | base64)" --arg lease "$1" '{
    compare: [{key: $key, target: "CREATE", create_revision: "0", result: "EQUAL"}],
    success: [{request_put: {key: $key, value: $value, lease: $lease}}], failure: [{request_range: {key: $key}}]
  }')"
}

end_turn() { [[ -z $turn ]] || etcd lease/revoke "{\"ID\":\"$turn\"}" >/dev/null || true; }

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
