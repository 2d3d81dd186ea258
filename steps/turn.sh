# shellcheck shell=bash
# What one control plane at a time may do. A turn is a key in etcd, so that taking it needs a quorum; it has a lease, so
# that a machine that dies does not keep it.
# Sourced after lib.sh and etcd.sh.

turn=
# Who has the turn, where take_turn found that it is another one's.
turn_holder=

# take_turn NAME HOLDER SECONDS: fails with 1 where it is another one's, and with 2 where etcd gives none. A holder has
# one run at a time: what it still has is of a run that was killed, and is taken from it.
take_turn() {
  local name=$1 holder=$2 ttl=$3 key found lease answer
  key=$(printf 'oslo-cluster/%s' "$name" | base64)
  found=$(etcd kv/range "{\"key\":\"$key\"}" | jq '.kvs[0] // empty') || return 2
  if [[ -n $found ]]; then
    turn_holder=$(jq --raw-output .value <<<"$found" | base64 --decode)
    [[ $turn_holder == "$holder" ]] || return 1
    etcd lease/revoke "{\"ID\":\"$(jq --raw-output .lease <<<"$found")\"}" >/dev/null || return 2
  fi
  lease=$(etcd lease/grant "{\"TTL\":\"$ttl\"}" | jq --raw-output .ID) || return 2
  answer=$(etcd kv/txn "$(jq --null-input --arg key "$key" --arg value "$(printf %s "$holder" | base64)" --arg lease "$lease" '{
    compare: [{key: $key, target: "CREATE", create_revision: "0", result: "EQUAL"}],
    success: [{request_put: {key: $key, value: $value, lease: $lease}}]
  }')") || return 2
  if [[ $(jq .succeeded <<<"$answer") == true ]]; then
    turn=$lease
    return
  fi
  # Another one was faster.
  etcd lease/revoke "{\"ID\":\"$lease\"}" >/dev/null || return 2
  take_turn "$name" "$holder" "$ttl"
}

# keep_turn SECONDS: makes it last as long as this script, by asking so often. In the background.
keep_turn() {
  while sleep "$1" && kill -0 $$ 2>/dev/null; do
    etcd lease/keepalive "{\"ID\":\"$turn\"}" >/dev/null 2>&1 || true
  done
}

end_turn() { [[ -z $turn ]] || etcd lease/revoke "{\"ID\":\"$turn\"}" >/dev/null || true; }
