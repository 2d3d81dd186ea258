#!/usr/bin/env bash
# Sends to every other node what the data path will send, and takes the same from them. Bound to the
# connection that asked for it: the document comes first on stdin, and the end of stdin is the end,
# since the others need this node until they have decided. Its line on stdout is what arrived here.
set -euo pipefail -f
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"

declare -A arrived=() fate=() since=()
last='' failed=0

main() {
  local decision='' listener
  read_document
  owned
  exec 3< <(listen)
  listener=$!
  trap 'kill "$listener" 2>/dev/null || true' EXIT
  # What is ready on stdin is its end: nothing follows the document.
  until read -r -t 0; do
    send
    collect
    if [[ -z $decision ]] && decided; then
      decision=made
      report
    fi
  done
  [[ -n $decision ]] || die "the probe on $NODE was ended before it was decided: see what is said of the other nodes, and run it again"
  exit "$failed"
}

# The vars of a document as plan/step.ts renders it; `files:` is its last line.
read_document() {
  local line variable='^  ([A-Z_]+): "([^"]*)"$'
  while IFS= read -r line && [[ $line != files: ]]; do
    if [[ $line =~ $variable ]]; then printf -v "${BASH_REMATCH[1]}" %s "${BASH_REMATCH[2]}"; fi
  done
}

# A line per packet: its source, its IP options, what it says of itself; and socat's own errors.
listen() {
  local address
  trap 'kill $(jobs -p) 2>/dev/null' EXIT
  trap 'exit' TERM
  for address in $LISTEN; do
    # shellcheck disable=SC2016 # for the shell of each packet
    socat -u "$address,fork" 'SYSTEM:exec 2>/dev/null; set -f; echo $SOCAT_PEERADDR _$SOCAT_IP_OPTIONS$SOCAT_IPV6_DSTOPTS $(head -c 99)' 2>&1 &
  done
  wait -n
}

send() {
  local packet said
  for packet in $SEND; do
    said=$(echo "$NODE ${packet%%=*}" | socat -u - "${packet#*=}" 2>&1) ||
      die "$NODE cannot send what Cilium will send (${packet%%=*}): $said"
  done
}

# Takes what has come, and waits a moment for what is under way.
collect() {
  local line status count
  for ((count = 0; count < 32; count++)); do
    status=0
    IFS= read -r -t 0.2 -u 3 line || status=$?
    ((status <= 128)) || return 0 # the moment is over
    ((status == 0)) || die "$NODE cannot listen on UDP port $PORT of $INTERFACE: $last"
    last=$line
    take "$line"
  done
}

take() {
  local from options sender kind family word source packet
  packet='^\[?([0-9a-f.:]+)\]? _([0-9a-fx]*) ([a-z0-9-]+) ([a-zA-Z]+)$'
  [[ $1 =~ $packet ]] || return 0
  from=${BASH_REMATCH[1]} options=${BASH_REMATCH[2]} sender=${BASH_REMATCH[3]} kind=${BASH_REMATCH[4]}
  case $from in *:*) family=6 ;; *) family=4 ;; esac
  for word in $EXPECT; do
    [[ $word == "$sender/$family/$kind/"* ]] || continue
    since["$sender/$family"]=${since["$sender/$family"]:-$SECONDS}
    IFS=/ read -r _ _ _ source _ <<<"$word"
    if [[ $source != "$from" ]]; then
      fate[$word]="arrived with the source address $from"
    # socat repeats the options of earlier packets; the sender's own name it.
    elif [[ $options != *"${word##*/}" ]]; then
      fate[$word]="arrived without it"
    else
      arrived[$word]=yes
    fi
  done
}

# True once all is here, or the time is over of each sender that lacks something: it is counted from its first packet.
decided() {
  local word sender
  for word in $EXPECT; do
    sender=${word%/*/*/*}
    [[ -n ${arrived[$word]:-} ]] || ((SECONDS >= ${since[$sender]:-$START_SECONDS} + PATIENCE_SECONDS)) || return 1
  done
}

# The reading on stdout, what is wrong on stderr; sets failed.
report() {
  local word peer family kind
  for word in $EXPECT; do
    IFS=/ read -r peer family kind _ <<<"$word"
    echo "$peer $family $kind ${arrived[$word]:-no}"
  done | jq --raw-input --null-input --compact-output --arg node "$NODE" '
    reduce (inputs / " ") as [$peer, $family, $kind, $arrived]
      ({}; .["\($peer) -> \($node)"]["ipv\($family)"][$kind] = ($arrived == "yes"))'
  for word in $EXPECT; do
    [[ -z ${arrived[$word]:-} ]] || continue
    IFS=/ read -r peer family kind _ <<<"$word"
    # Where nothing at all came, there is nothing to be said of the rest.
    [[ -n ${since["$peer/$family"]:-} || $kind == plain ]] || continue
    if [[ " $OPTIONAL " == *" $kind "* ]]; then
      echo "snat is taken: $(problem "$word" "")" >&2
    else
      echo "error: $(problem "$word" ", or set cilium.loadBalancer.mode or .fallback to snat")" >&2
      failed=1
    fi
  done
}

# problem WORD ALTERNATIVE
problem() {
  local peer family kind from mend what spoofed
  IFS=/ read -r peer family kind from _ <<<"$1"
  spoofed="end anti-spoofing (port security, clean-traffic) on the ports of both nodes, at the hypervisor or the provider"
  case $kind in
    plain) what="an ordinary packet" mend="open UDP port $PORT between the nodes, in their own firewalls and the provider's" ;;
    podSource) what="a packet from a pod's address ($from)" mend="native routing sends pods' packets as they are$(reverse_path "$family"): $spoofed, or allow network.podSubnets there" ;;
    nodeSource) what="a packet from a third node's address ($from)" mend="DSR answers with another node's address$(reverse_path "$family"): $spoofed$2" ;;
    option) what="a packet with Cilium's $([[ $family == 4 ]] && echo "IP option 0x9a" || echo "IPv6 destination option 0x1b")" mend="DSR needs it: let IP options pass on hypervisors, switches and the provider's filters$2" ;;
    ipip) what="an IP-in-IP packet" mend="DSR by ipip needs it: let IP protocol $([[ $family == 4 ]] && echo 4 || echo 41) pass between the nodes$2" ;;
  esac
  echo "$peer -> $NODE (IPv$family): $what ${fate[$1]:-was dropped}; $mend"
}

# The kernel's own filter would drop it as well; the stricter of the two values holds.
reverse_path() {
  local value
  [[ $1 == 4 ]] || return 0
  value=$(sort -n /proc/sys/net/ipv4/conf/{all,"$INTERFACE"}/rp_filter | tail -n 1)
  [[ $value == 0 ]] || echo ", and rp_filter on $NODE is $value instead of 0 (see tuning.sysctl)"
}

main
