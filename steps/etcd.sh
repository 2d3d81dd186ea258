# shellcheck shell=bash
# etcd of a stacked control plane, as this machine's own member knows it, by its JSON gateway. Ids are strings
# there: they are larger than JSON's numbers.

etcd_pki=/etc/kubernetes/pki/etcd
# Seconds; an election takes 1 to 2. Who waits for less says so.
etcd_limit=${ETCD_LIMIT:-8}

# etcd PATH [BODY] [URL]: the answer, or failure with what etcd said.
etcd() {
  local answer
  answer=$(curl --silent --show-error --max-time "$etcd_limit" --cacert $etcd_pki/ca.crt \
    --cert $etcd_pki/healthcheck-client.crt --key $etcd_pki/healthcheck-client.key \
    --request POST --data "${2:-{\}}" "${3:-https://127.0.0.1:2379}/v3/$1" 2>&1) ||
    { echo "$answer" >&2 && return 1; }
  # Errors have a code of gRPC's; an answer may be {}.
  [[ $answer == '{'* && $answer != *'"code":'* ]] || { echo "$answer" >&2 && return 1; }
  printf '%s\n' "$answer"
}

# A line for each member: id, name (- while it has not started), learner or voter, peer's URL, client's URL.
# Linearizable: nothing is listed by a member that has lost the others. etcd_members [URL]
etcd_members() {
  etcd cluster/member/list '{"linearizable":true}' "${1:-}" | jq --raw-output '.members[]
    | [.ID, (.name // "" | if . == "" then "-" else . end), (if .isLearner then "learner" else "voter" end),
       .peerURLs[0], .clientURLs[0] // "-"] | @tsv'
}

# The members of a name or a peer's URL, as etcd_members lists them.
etcd_member() { awk -F '\t' -v name="$1" -v url="${2:-}" '$2 == name || (url != "" && $4 == url)'; }

# The status of a member that answers and knows a leader; this machine's own by default. Fails for another one.
etcd_status() {
  local status
  status=$(etcd maintenance/status '{}' "${1:-}" 2>/dev/null) || return
  jq --exit-status --compact-output 'select(.leader // "0" | . != "0")' <<<"$status"
}

# Does a member answer, and know a leader?
etcd_healthy() { etcd_status "$1" >/dev/null; }

# The id of the cluster that a member belongs to. Members of one cluster share it, also after a restore.
etcd_cluster() { etcd maintenance/status '{}' "${1:-}" 2>/dev/null | jq --raw-output '.header.cluster_id'; }

# A line where this machine's member does not answer, or is of another cluster than the others: one that lost its data
# and began again serves an empty cluster. etcd_alone NAME=CLIENT…    the other control planes' members
etcd_alone() {
  local one own other others='' strange=''
  own=$(etcd_cluster) || own=''
  [[ -n $own ]] || { echo "etcd's member on $(hostname) does not answer" && return; }
  for one in "$@"; do
    other=$(etcd_cluster "${one#*=}") || other=''
    if [[ $other == "$own" ]]; then return 0; fi
    others+=${other:+" ${one%%=*}"} strange=${other:-$strange}
  done
  [[ -z $others ]] || echo "etcd's member on $(hostname) is alone in cluster $own, and$others in $strange: it lost its data and began again; replace this control plane"
}

# Have the others let a member go? Nobody has who does not decide. etcd_let_go NAME NAME=CLIENT…
etcd_let_go() {
  local name=$1 one members
  for one in "${@:2}"; do
    members=$(etcd_members "${one#*=}" 2>/dev/null) || continue
    [[ -z $(etcd_member "$name" <<<"$members") ]]
    return
  done
  return 1
}

# Which data is this member's: said beside the data, and on the machine's own disk. Once it votes.
etcd_remember() {
  local ids file
  ids=$(etcd maintenance/status | jq --raw-output '.header | "cluster=\(.cluster_id) member=\(.member_id)"')
  for file in "$state/etcd-data" /var/lib/etcd/oslo-cluster; do
    printf '%s\n' "$ids" >"$file.new"
    mv "$file.new" "$file"
  done
}

# Are the data, if there are any, not those that this machine's member had? Whoever never voted has no mark yet.
etcd_strange() { [[ -e $state/etcd-data ]] && ! cmp --silent "$state/etcd-data" /var/lib/etcd/oslo-cluster; }

# What this machine's own member is: voter, learner, silent (it does not answer, or knows no leader) or lost: nor are
# its data what they were, as the directory was emptied or is on another disk.
etcd_state() {
  local status
  if status=$(etcd_status); then
    jq --raw-output 'if .isLearner then "learner" else "voter" end' <<<"$status"
  elif etcd_strange; then
    echo lost
  else
    echo silent
  fi
}

# Takes members of a name or a peer's URL out, unless the others could not decide anything after that. They are
# distinguished by etcd itself: what is started and votes counts.
etcd_remove() {
  local name=$1 url=${2:-} members leaving others id state client healthy=0 voters=0 leader
  members=$(etcd_members) || return
  leaving=$(etcd_member "$name" "$url" <<<"$members")
  [[ -n $leaving ]] || return 0
  others=$(grep -vxF "$leaving" <<<"$members" || true)
  [[ $others != *$'\t'learner$'\t'* ]] || die "etcd: another member is joining ($(awk -F '\t' '$3 == "learner" { print $4 }' <<<"$others")): run again once it votes"
  while IFS=$'\t' read -r _ _ state _ client; do
    [[ $state == voter ]] || continue
    voters=$((voters + 1))
    if etcd_healthy "$client"; then healthy=$((healthy + 1)); fi
  done <<<"$others"
  ((voters > 0)) || die "etcd: $name is the only member: its data would be lost with it; add a control plane first"
  ((healthy > voters / 2)) ||
    die "etcd: without $name, $healthy of $voters members would be healthy, and $((voters / 2 + 1)) are needed: repair or replace the others first, one at a time"
  leader=$(etcd maintenance/status | jq --raw-output '.leader')
  while IFS=$'\t' read -r id _ state _ client; do
    if [[ $id == "$leader" ]]; then
      etcd maintenance/transfer-leadership "{\"targetID\":\"$(etcd maintenance/status | jq --raw-output '.header.member_id')\"}" "$client" >/dev/null 2>&1 ||
        say "etcd: $name leads and does not hand over: the others elect"
    fi
    say "etcd: remove the $state $name ($id)"
    # Refused within 5 s of another change.
    wait_until 30 "etcd removes $name" etcd cluster/member/remove "{\"ID\":\"$id\"}"
  done <<<"$leaving"
  members=$(etcd_members) || return
  [[ -z $(etcd_member "$name" "$url" <<<"$members") ]] || die "etcd: $name is still a member"
}
