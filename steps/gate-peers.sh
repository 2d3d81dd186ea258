# shellcheck shell=bash
# Do the nodes reach each other as the network promises: one L2 domain, round trip, whole packets, one time?

# shellcheck source=steps/neighbour.sh
source "${BASH_SOURCE[0]%/*}/neighbour.sh"

check() { :; }

apply() {
  local peer name address rtt path skew mac arp l2 problems='' readings=()
  declare -A answers=() # who answers with which MAC address
  for address in $GATEWAYS; do
    mac=$(neighbour "$address")
    if [[ -n $mac ]]; then answers[${mac% *}]="the gateway $address"; fi
  done
  for peer in $PEERS; do
    name=${peer%%=*} address=${peer#*=}
    # A re-created machine has another MAC address than the one that is remembered.
    ip neighbour flush to "$address" dev "$INTERFACE" 2>/dev/null || true
    rtt=$(round_trip "$address")
    if [[ -z $rtt ]]; then
      problems+="$name ($address): no answer to ping on the VLAN: check cabling, VLAN and firewall"$'\n'
      continue
    fi
    read -r mac arp <<<"$(neighbour "$address")"
    path=$(path_mtu "$address")
    skew=$(clock_skew "$address")
    say "$name $address: ${mac:-no neighbour}, rtt $rtt ms, path MTU $path, clock skew ${skew:-not measurable} s"
    readings+=("$(printf '"%s":{"mac":"%s","arpMilliseconds":%s,"rttMilliseconds":%s,"pathMtu":%d,"clockSkewSeconds":%s}' \
      "$peer" "$mac" "${arp:-null}" "$rtt" "$path" "${skew:-null}")")
    l2=$(l2_problem "$name" "$address" "$mac")
    problems+=${l2:+$l2$'\n'}
    answers[${mac:-none}]=$name
    if exceeds "$rtt" "$RTT_MILLISECONDS"; then
      problems+="$name ($address): round trip $rtt ms, allowed $RTT_MILLISECONDS ms: the nodes are far from each other: take machines in one place, or raise gates.nodeRttMilliseconds"$'\n'
    fi
    if ((path < MTU)); then
      problems+="$name ($address): path MTU $path, expected $MTU: a switch or bridge drops larger packets; fix it, or set network.mtu"$'\n'
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

# Native routing hands packets for a peer's pods to the peer's own MAC address (autoDirectNodeRoutes).
l2_problem() {
  local name=$1 address=$2 mac=$3 route holder
  route=$(ip -o route get "$address" 2>&1) || true
  holder=${answers[${mac:-none}]:-$name}
  case $route in
    *" via "*) echo "$name ($address): the route to it has a next hop (${route%% src *}): native routing needs both nodes on $INTERFACE in one L2 domain; put them on one VLAN" ;;
    *" dev $INTERFACE "*) ;;
    *) echo "$name ($address): the route to it does not leave by $INTERFACE (${route%% src *}): set network.vlan.interface, or correct the routes" ;;
  esac
  if [[ -z $mac ]]; then
    echo "$name ($address): answers ping, but no neighbour discovery on $INTERFACE: a router is between the nodes, and native routing needs one L2 domain; put both nodes on one VLAN"
  elif [[ $mac == *,* ]]; then
    echo "$name ($address): several machines answer for it ($mac): give each an address of its own, and end proxy ARP"
  elif [[ $holder != "$name" ]]; then
    echo "$name ($address): $holder answers with the same MAC address $mac: a router answers for both (proxy ARP), and native routing needs one L2 domain; put the nodes on one VLAN"
  fi
}

# Mean of ten, in milliseconds. Asked again where it is too long: one lost packet of neighbour discovery holds up all ten.
round_trip() {
  local mean
  in_three_tries near "$1" || true
  echo "$mean"
}

near() {
  mean=$({ ping -n -q -c 10 -i 0.05 -W 2 "$1" || true; } | sed -n 's|^rtt [^=]*= [0-9.]*/\([0-9.]*\)/.*|\1|p')
  [[ -n $mean ]] && ! exceeds "$mean" "$RTT_MILLISECONDS"
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

# Does one of three packets of a size arrive? Headers: IPv4 20 or IPv6 40, ICMP 8.
passes() {
  local headers=28
  case $1 in *:*) headers=48 ;; esac
  in_three_tries ping -n -q -c 1 -W 1 -M "do" -s $(($2 - headers)) "$1" >/dev/null 2>&1
}

# By ICMP timestamps, in seconds; IPv4 alone has them.
clock_skew() {
  case $1 in *:*) return ;; esac
  { timeout 20 clockdiff "$1" </dev/null 2>/dev/null || true; } | awk 'NF == 3 { printf "%.3f", $2 / 1000 }'
}
