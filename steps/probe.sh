#!/usr/bin/env bash
# Sends to the nodes of its document what the data path will send, and takes the same from them. Bound to the
# connection that asked for it: the document comes first on stdin, and the end of stdin is the end,
# since the others need this node until they have decided. Its line on stdout is what arrived here.
set -euo pipefail -f
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=steps/document.sh
source "${BASH_SOURCE[0]%/*}/document.sh"

declare -A arrived=() since=()
table=oslo-cluster-probe failed=0

main() {
  local decision='' status
  read_document
  owned
  trap 'nft delete table inet "$table" 2>/dev/null || true' EXIT
  count
  while true; do
    send
    if [[ -z $decision ]]; then
      collect
      if decided; then
        decision=made
        report
      fi
    fi
    # A moment between rounds, unless stdin has ended.
    status=0
    read -r -t 0.2 || status=$?
    ((status > 128)) || break
  done
  [[ -n $decision ]] || die "the probe on $NODE ended without a result: see the errors of the other nodes, then run it again"
  exit "$failed"
}

# The kernel counts what arrives, behind the node's own filters: each packet that is whole, and each
# that lost its source or option on the way. (socat, a process for each packet, hangs under load.)
count() {
  rules | nft -f - || die "$NODE cannot count packets on $INTERFACE: nft's reason is above"
}

rules() {
  local word sender family kind source option packet whole
  printf 'table inet %s {}\ndelete table inet %s\ntable inet %s {\n' "$table" "$table" "$table"
  for word in $EXPECT; do
    printf 'counter %s {}\n' "whole-${word%/*/*}" "changed-${word%/*/*}"
  done
  printf 'chain input {\ntype filter hook input priority 100\niifname != "%s" return\n' "$INTERFACE"
  for word in $EXPECT; do
    IFS=/ read -r sender family kind source option <<<"$word"
    packet="meta nfproto ipv$family $(transport "$kind/$family" "$(hexadecimal "$sender $kind")")"
    # IPv4's options follow 20 bytes of header; IPv6's follow 40, and 2 of their own.
    case $family in
      4) whole="ip saddr $source $(bytes nh 160 "$option")" ;;
      6) whole="ip6 saddr $source $(bytes nh 336 "$option")" ;;
    esac
    echo "$packet $whole counter name whole-$sender/$family/$kind drop"
    echo "$packet counter name changed-$sender/$family/$kind drop"
  done
  printf '}\n}\n'
}

# transport KIND/FAMILY DIGITS: nft's match for what a packet says of itself.
transport() {
  case $1 in
    ipip/4) echo "meta l4proto 4 $(bytes th 0 "$2")" ;;
    ipip/6) echo "meta l4proto 41 $(bytes th 0 "$2")" ;;
    vrrp/*) echo "meta l4proto 112 $(bytes th 0 "$2")" ;;
    *) echo "udp dport $PORT $(bytes th 64 "$2")" ;;
  esac
}

# bytes BASE BIT DIGITS: nft's match for bytes of a packet, which compares 16 at a time.
bytes() {
  local base=$1 bit=$2 digits=$3
  while [[ -n $digits ]]; do
    printf '@%s,%d,%d 0x%s ' "$base" "$bit" "$((4 * ${#digits} < 128 ? 4 * ${#digits} : 128))" "${digits:0:32}"
    digits=${digits:32} bit=$((bit + 128))
  done
}

hexadecimal() {
  local i
  for ((i = 0; i < ${#1}; i++)); do printf %02x "'${1:i:1}"; done
}

send() {
  local packet said
  for packet in $SEND; do
    said=$(printf %s "$NODE ${packet%%=*}" | socat -u - "${packet#*=},so-bindtodevice=$INTERFACE" 2>&1) ||
      die "$NODE cannot send what Cilium will send (${packet%%=*}): $said"
  done
}

# Takes over what the kernel has counted.
collect() {
  local text word value name='' sender
  text=$(nft list counters table inet "$table") || die "$NODE lost its counters: something else changes its nftables"
  while read -r word value _; do
    case $word in
      counter) name=$value ;;
      packets)
        [[ $value != 0 ]] || continue
        arrived[$name]=yes
        sender=${name#*-} sender=${sender%/*}
        since[$sender]=${since[$sender]:-$SECONDS}
        ;;
    esac
  done <<<"$text"
}

# True once all is here, or the time is over of each sender that lacks something: it is counted from its first packet.
decided() {
  local word sender
  for word in $EXPECT; do
    sender=${word%/*/*/*}
    [[ -n ${arrived["whole-${word%/*/*}"]:-} ]] || ((SECONDS >= ${since[$sender]:-$START_SECONDS} + PATIENCE_SECONDS)) || return 1
  done
}

# The reading on stdout, what is wrong on stderr; sets failed.
report() {
  local word peer family kind
  for word in $EXPECT; do
    IFS=/ read -r peer family kind _ <<<"$word"
    echo "$peer $family $kind ${arrived["whole-$peer/$family/$kind"]:-no}"
  done | jq --raw-input --null-input --compact-output --arg node "$NODE" '
    reduce (inputs / " ") as [$peer, $family, $kind, $arrived]
      ({}; .["\($peer) -> \($node)"]["ipv\($family)"][$kind] = ($arrived == "yes"))'
  for word in $EXPECT; do
    IFS=/ read -r peer family kind _ <<<"$word"
    [[ -z ${arrived["whole-$peer/$family/$kind"]:-} ]] || continue
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
  local peer family kind from fate fix what spoofed
  IFS=/ read -r peer family kind from _ <<<"$1"
  case ${arrived["changed-$peer/$family/$kind"]:-}/$kind in
    /*) fate="was dropped" ;;
    */option) fate="arrived without it" ;;
    *) fate="arrived from another address" ;;
  esac
  spoofed="end anti-spoofing (port security, clean-traffic) on the ports of both nodes, at the hypervisor or the provider"
  case $kind in
    plain) what="an ordinary packet" fix="open UDP port $PORT between the nodes, in their own firewalls and the provider's" ;;
    podSource) what="a packet from a pod's address ($from)" fix="native routing sends pods' packets as they are$(reverse_path "$family"): $spoofed, or allow network.podSubnets there" ;;
    nodeSource) what="a packet from a third node's address ($from)" fix="DSR answers with another node's address$(reverse_path "$family"): $spoofed$2" ;;
    option) what="a packet with Cilium's $([[ $family == 4 ]] && echo "IP option 0x9a" || echo "IPv6 destination option 0x1b")" fix="DSR needs it: let IP options pass on hypervisors, switches and the provider's filters$2" ;;
    vrrp) what="a VRRP packet" fix="without it two control planes would have the virtual address: let IP protocol 112 pass between them, in their own firewalls and the provider's, or remove cluster.endpoint.virtualAddress" ;;
    ipip) what="an IP-in-IP packet" fix="DSR by ipip needs it: let IP protocol $([[ $family == 4 ]] && echo 4 || echo 41) pass between the nodes$2" ;;
  esac
  echo "$peer -> $NODE (IPv$family): $what $fate; $fix"
}

# The kernel's own filter would drop it as well; the stricter of the two values holds.
reverse_path() {
  local value
  [[ $1 == 4 ]] || return 0
  value=$(sort -n /proc/sys/net/ipv4/conf/{all,"$INTERFACE"}/rp_filter | tail -n 1)
  [[ $value == 0 ]] || echo ", and rp_filter on $NODE is $value instead of 0 (see tuning.sysctl)"
}

main
