#!/usr/bin/env bash
# Takes a node out of the cluster in good order: cordons and drains it, takes a control plane's member out of etcd,
# and deletes its Node object.
# Runs on a control plane; safe to repeat and to kill at any point. Exit 75: the API does not answer; 3: there is
# no cluster.
#
#   oslo-step leave NODE SECONDS    SECONDS: how long its pods may take to leave it
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=steps/etcd.sh
source "${BASH_SOURCE[0]%/*}/etcd.sh"
# shellcheck source=steps/turn.sh
source "${BASH_SOURCE[0]%/*}/turn.sh"
node=$1 seconds=$2
volatile=/run/oslo-cluster
scratch=$(mktemp -d)
# A child that is ended before it has become its program runs this as well.
trap '((BASHPID != $$)) || { kill $(jobs -p) 2>/dev/null || true; end_turn; rm -rf "$scratch"; }' EXIT

main() {
  local heard member
  [[ -f $state/cluster ]] || exit 3
  (umask 077 && mkdir -p "$volatile")
  # A run that was cut short may still be at it, and would delete the node that joins next.
  only_one "$volatile/leave-$node" "$((seconds + 120))" "node $node: another run has been taking it out for $((seconds + 120)) s; see \`pgrep -af 'kubectl.* drain'\` on $(hostname)"
  heard=$(heard)
  member=$(etcd_members) || exit 75
  member=$(etcd_member "$node" <<<"$member")
  if [[ -n $member ]]; then one_at_a_time; fi
  case $heard in
    absent)
      [[ -n $member ]] || { refuse_return && say "node $node is not in the cluster" && return; }
      ;;
    True | False) drain_or_give_up ;;
    *) give_up ;;
  esac
  if [[ -n $member ]]; then
    refuse_second # by another control plane's hand, meanwhile
    etcd_remove "$node"
  fi
  must delete node "$node" --ignore-not-found --timeout 60s
  # Pods of daemon sets, and of a dead machine: the next machine of this name must not meet them.
  must delete pods --all-namespaces --field-selector "spec.nodeName=$node" --force --grace-period 0 --wait=false 2>/dev/null
  refuse_return
  say "node $node has left the cluster"
}

# Its certificate lives on, wherever its disk is: it makes no Node again and renews nothing.
refuse_return() {
  local map=oslo-cluster-removed-nodes
  must apply --server-side --force-conflicts --filename /etc/oslo-cluster/removed-nodes.yaml >/dev/null
  printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s","namespace":"kube-system"},"data":{"%s":"%s"}}' \
    "$map" "$node" "$(date --utc +%FT%TZ)" >"$scratch/removed.json"
  # A manager for each name, so that nobody takes out what another has put in.
  must apply --server-side --force-conflicts --field-manager "oslo-cluster-$node" --filename "$scratch/removed.json" >/dev/null
}

# What the node's kubelet said last of being ready: True, False, or Unknown where it says nothing any more.
heard() {
  local found
  found=$(must get node "$node" --ignore-not-found --output json)
  if [[ -z $found ]]; then
    echo absent
  else
    jq --raw-output '[.status.conditions[]? | select(.type == "Ready").status][0] // "Unknown"' <<<"$found"
  fi
}

# From here until this control plane has left no other does, whichever machine it is asked on: each would still find the
# other in etcd.
one_at_a_time() {
  wait_until "$((seconds + 120))" "control plane $node has its turn to leave" has_turn
  keep_turn 20 </dev/null >/dev/null 2>&1 {lock}>&- &
  refuse_second
}

has_turn() {
  local status=0
  take_turn leave "$node" 60 || status=$?
  ((status != 1)) || echo "control plane $turn_holder is leaving"
  return "$status"
}

# One control plane is replaced at a time: another one that the configuration has must be back before the next leaves.
refuse_second() {
  local one wanted members
  wanted=$(cat /etc/oslo-cluster/control-planes 2>/dev/null || true)
  [[ $'\n'$wanted$'\n' == *$'\n'"$node"$'\n'* ]] || return 0 # it leaves for good
  members=$(etcd_members) || exit 75
  for one in $wanted; do
    [[ $one == "$node" ]] || [[ -n $(etcd_member "$one" <<<"$members") ]] ||
      die "control plane $node is not taken out while $one is not back in etcd: replace one at a time"
  done
}

# A machine that dies meanwhile ends no pod: it is not waited for.
drain_or_give_up() {
  local drainer watcher teller ended status=0
  say "drain $node (at most $seconds s)"
  : >"$scratch/drain"
  # The lock is this script's, and ends with it. Not by `admin`: a function has a shell of its own in the background, and
  # ending that ends no kubectl.
  kubectl --kubeconfig "$kubeconfig" drain "$node" --ignore-daemonsets --delete-emptydir-data --timeout "${seconds}s" >"$scratch/drain" 2>&1 {lock}>&- &
  drainer=$!
  kubectl --kubeconfig "$kubeconfig" wait "node/$node" --for=condition=Ready=Unknown --timeout "$((seconds + 60))s" >/dev/null 2>&1 {lock}>&- &
  watcher=$!
  tail --lines=+1 --follow --sleep-interval=0.2 --pid="$drainer" "$scratch/drain" {lock}>&- | each_line_once {lock}>&- &
  teller=$!
  wait -n -p ended "$drainer" "$watcher" || status=$?
  if [[ $ended == "$watcher" && $status == 0 ]]; then
    kill "$drainer" 2>/dev/null || true
    wait "$teller" || true
    give_up
    return
  fi
  if [[ $ended == "$watcher" ]]; then
    status=0
    wait "$drainer" || status=$?
  fi
  kill "$watcher" 2>/dev/null || true
  wait "$teller" || true
  ((status == 0)) || undrained
}

# Refused evictions are tried every 5 s, in the same words.
each_line_once() {
  local -A seen
  local line
  while IFS= read -r line; do
    [[ -n ${seen[.$line]:-} ]] || echo "$line"
    seen[.$line]=1
  done
}

# Says what is in the way, pod by pod. Nothing that was not evicted is lost.
undrained() {
  local pods pod why reasons
  pods=$(left)
  [[ -n $pods ]] || unanswered "$(tail --lines=3 "$scratch/drain")"
  reasons=$(while IFS=$'\t' read -r pod why; do reason "$pod" "$why"; done <<<"$pods")
  {
    echo "error: node $node is cordoned and stays in the cluster, because pods stay on it:"
    echo "${reasons:-$(cut --fields=1 <<<"$pods" | sed 's/^/  /')}"
    echo "Fix this and run again; to keep the node after all: kubectl uncordon $node"
  } >&2
  exit 1
}

# Pods that a drain was ready to evict, and did not come to, are not reported.
reason() {
  local pod=$1 why=$2 said
  said=$(grep --fixed-strings "\"${pod#*/}\" -n \"${pod%%/*}\"" "$scratch/drain" || true)
  case $why in
    bare) echo "  $pod: no controller would re-create it; delete it, or run it under one" ;;
    ending) echo "  $pod: has not ended within $seconds s; give it time; if its machine cannot end it any more, switch the machine off" ;;
    *)
      if [[ $said == *"disruption budget"* ]]; then
        echo "  $pod: its PodDisruptionBudget allows no eviction; let another replica become ready elsewhere, or relax it (kubectl -n ${pod%%/*} get poddisruptionbudgets)"
      elif [[ -n $said ]]; then
        echo "  $pod: ${said##*$'\n'}"
      fi
      ;;
  esac
}

# The machine is dead or cut off: it ends no pod, and pods that it alone holds are lost with it.
give_up() {
  say "node $node does not report any more (its machine is dead or cut off): not drained. Its pods start elsewhere where a controller re-creates them:"
  left | cut --fields=1 | sed 's/^/  /'
}

# Pods that a drain has to move, with what is special about each.
left() {
  local pods
  pods=$(must get pods --all-namespaces --field-selector "spec.nodeName=$node" --output json)
  jq --raw-output '.items[]
    | select(.status.phase != "Succeeded" and .status.phase != "Failed")
    | select(.metadata.annotations["kubernetes.io/config.mirror"] == null)
    | (.metadata.ownerReferences // []) as $owners
    | select(all($owners[]; .kind != "DaemonSet"))
    | ["\(.metadata.namespace)/\(.metadata.name)",
       if .metadata.deletionTimestamp then "ending" elif $owners == [] then "bare" else "" end]
    | @tsv' <<<"$pods"
}

must() { ask_api --request-timeout 20s "$@" || unanswered "kubectl $1 $2 failed"; }

unanswered() {
  echo "error: the API server does not accept what $(hostname) asks: $1" >&2
  exit 75
}

main
