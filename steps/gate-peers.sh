# shellcheck shell=bash
# Do the nodes reach each other as the network promises: round trip, whole packets, one time?

check() { :; }

apply() {
  local peer name address rtt path skew problems='' readings=()
  for peer in $PEERS; do
    name=${peer%%=*} address=${peer#*=}
    rtt=$(round_trip "$address")
    if [[ -z $rtt ]]; then
      problems+="$name ($address): no answer to ping on the VLAN: check cabling, VLAN and firewall"$'\n'
      continue
    fi
    path=$(path_mtu "$address")
    skew=$(clock_skew "$address")
    say "$name $address: rtt $rtt ms, path MTU $path, clock skew ${skew:-not measurable} s"
    readings+=("$(printf '"%s":{"rttMilliseconds":%s,"pathMtu":%d,"clockSkewSeconds":%s}' "$peer" "$rtt" "$path" "${skew:-null}")")
    if exceeds "$rtt" "$RTT_MILLISECONDS"; then
      problems+="$name ($address): round trip $rtt ms, allowed $RTT_MILLISECONDS ms: the nodes do not stand together"$'\n'
    fi
    if ((path < MTU)); then
      problems+="$name ($address): path MTU $path, expected $MTU: a switch or bridge drops larger packets; mend it, or set network.mtu"$'\n'
    fi
    if [[ -n $skew ]] && exceeds "${skew#-}" "$CLOCK_SKEW_SECONDS"; then
      problems+="$name ($address): clocks differ by $skew s, allowed $CLOCK_SKEW_SECONDS s: set the clock (chronyc makestep)"$'\n'
    fi
  done
  reading "{$(
    IFS=,
    echo "${readings[*]}"
  )}"
  [[ -z $problems ]] || die "$(hostname) and its peers:"$'\n'"$problems"
}

# Mean of ten, in milliseconds.
round_trip() {
  { ping -n -q -c 10 -i 0.05 -W 2 "$1" || true; } | sed -n 's|^rtt [^=]*= [0-9.]*/\([0-9.]*\)/.*|\1|p'
}

# The largest packet that arrives unfragmented, in bytes; found by halving where MTU itself does not pass.
path_mtu() {
  local low=1279 high=$MTU middle
  if passes "$1" "$MTU"; then
    echo "$MTU"
    return
  fi
  while ((low + 1 < high)); do
    middle=$(((low + high) / 2))
    if passes "$1" "$middle"; then low=$middle; else high=$middle; fi
  done
  echo "$low"
}

# Headers: IPv4 20 or IPv6 40, ICMP 8.
passes() {
  local headers=28
  case $1 in *:*) headers=48 ;; esac
  ping -n -q -c 2 -i 0.05 -W 1 -M "do" -s $(($2 - headers)) "$1" >/dev/null 2>&1
}

# By ICMP timestamps, in seconds; IPv4 alone has them.
clock_skew() {
  case $1 in *:*) return ;; esac
  { timeout 20 clockdiff "$1" </dev/null 2>/dev/null || true; } | awk 'NF == 3 { printf "%.3f", $2 / 1000 }'
}
