#!/usr/bin/env bash
# A control plane's end of a try of the way to the API server, from before there is one. Bound to the connection that
# asked for it: the document comes first on stdin, then a word a line, each answered by a line of JSON; the end
# of stdin is the end. With a virtual address, other nodes look on.
#
#   listen    answer on the API server's port
#   hold      have the virtual address, and say so to all
#   drop      have it no more
#   look      who has it, by MAC address: as is remembered (what was said to all changes that), and as is asked now
#   ask       does the API server's port answer there?
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=steps/document.sh
source "${BASH_SOURCE[0]%/*}/document.sh"
# shellcheck source=steps/neighbour.sh
source "${BASH_SOURCE[0]%/*}/neighbour.sh"

authority=/etc/kubernetes/pki/ca.crt listener='' holding=''

main() {
  local word known=''
  read_document
  owned
  scratch=$(mktemp -d)
  trap finish EXIT
  # Whoever has a cluster has an API server to try, whose certificates are by this CA; also after an init that was killed.
  if [[ -f $state/cluster ]] || { [[ -f $authority ]] && listening; }; then
    known=$(base64 --wrap=0 "$authority")
  fi
  printf '{"authority":"%s","mac":"%s","holds":%s}\n' "$known" "$(own_mac)" "$(if holds; then echo true; else echo false; fi)"
  while read -r word; do
    case $word in
      listen) listen ;;
      hold) hold ;;
      drop) drop && echo '{}' ;;
      look) look ;;
      ask) ask ;;
      *) die "endpoint: no such word: $word" ;;
    esac
  done
}

finish() {
  [[ -z $listener ]] || kill "$listener" 2>/dev/null || true
  [[ -z $holding ]] || drop
  rm -rf "$scratch"
}

listening() { [[ -n $(ss --no-header --listening --tcp --numeric "sport = :$PORT") ]]; }

# Answers on the API server's port, also checks of load balancers, with a key that nobody else has.
listen() {
  local addresses=pf=ip4
  if listening; then
    die "cluster.endpoint.port: $PORT: taken on $NODE by $(ss --no-header --listening --tcp --numeric --processes "sport = :$PORT" | grep -o 'users:.*' | head -n 1); end that, or take another port"
  fi
  [[ ! -e /proc/net/if_inet6 ]] || addresses=pf=ip6,ipv6-v6only=0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=oslo-cluster on $NODE" \
    -keyout "$scratch/key" -out "$scratch/certificate" 2>"$scratch/said" || die "$NODE cannot make a certificate: $(cat "$scratch/said")"
  printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok' >"$scratch/answer"
  socat -T 10 "OPENSSL-LISTEN:$PORT,$addresses,reuseaddr,fork,max-children=64,verify=0,cert=$scratch/certificate,key=$scratch/key" \
    SYSTEM:"cat $scratch/answer" </dev/null >"$scratch/said" 2>&1 &
  listener=$!
  wait_until 60 "socat on $NODE listens on port $PORT" listening
  printf '{"certificate":"%s"}\n' "$(base64 --wrap=0 "$scratch/certificate")"
}

own_mac() { [[ -z ${INTERFACE:-} ]] || ip -oneline link show dev "$INTERFACE" | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p'; }

holds() { [[ -n ${ADDRESS:-} && -n $(ip -oneline address show to "$ADDRESS") ]]; }

# It ends by itself after a minute, whatever becomes of this.
hold() {
  holding=$ADDRESS/$([[ $ADDRESS == *:* ]] && echo "128 nodad" || echo 32)
  # shellcheck disable=SC2086 # nodad is a word of its own
  ip address add $holding dev "$INTERFACE" valid_lft 60 preferred_lft 0 || die "$NODE cannot take $ADDRESS on $INTERFACE"
  # The kernel believes one announcement a second. IPv6's are the kernel's and keepalived's own affair.
  [[ $ADDRESS == *:* ]] || arping -q -U -c 3 -I "$INTERFACE" "$ADDRESS" >/dev/null 2>&1 || true
  echo '{}'
}

drop() {
  ip address delete "${holding%% *}" dev "$INTERFACE" 2>/dev/null || true
  holding=''
}

look() {
  local remembered asked
  remembered=$(remembered_neighbour "$ADDRESS")
  asked=$(neighbour "$ADDRESS")
  printf '{"remembered":"%s","asked":"%s"}\n' "$remembered" "${asked% *}"
}

# What it says does not matter; it leaves who has the address remembered. One lost packet or one slow start of
# the listener's answer is no verdict: two tries.
ask() {
  local host=$ADDRESS
  [[ $ADDRESS != *:* ]] || host="[$ADDRESS]"
  if curl --silent --insecure --max-time 5 --retry 1 --retry-all-errors --retry-delay 1 --output /dev/null "https://$host:$PORT/readyz"; then
    echo '{"answered":true}'
  else
    echo '{"answered":false}'
  fi
}

main
