#!/usr/bin/env bash
# A control plane's end of a try of the way to the API server, from before there is one. Bound to the connection that
# asked for it: the document comes first on stdin, then a word a line, each answered by a line of JSON; the end
# of stdin is the end.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=steps/document.sh
source "${BASH_SOURCE[0]%/*}/document.sh"

authority=/etc/kubernetes/pki/ca.crt listener=''

main() {
  local word
  read_document
  owned
  scratch=$(mktemp -d)
  trap finish EXIT
  # Whoever has a cluster has an API server to try, whose certificates are by this CA; also after an init that was killed.
  if [[ -f $state/cluster ]] || { [[ -f $authority ]] && listening; }; then
    printf '{"authority":"%s"}\n' "$(base64 --wrap=0 "$authority")"
  else
    echo '{"authority":null}'
  fi
  while read -r word; do
    case $word in
      listen) listen ;;
      *) die "endpoint: no such word: $word" ;;
    esac
  done
}

finish() {
  [[ -z $listener ]] || kill "$listener" 2>/dev/null || true
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
  wait_until 10 "socat on $NODE listens on port $PORT" listening
  printf '{"certificate":"%s"}\n' "$(base64 --wrap=0 "$scratch/certificate")"
}

main
