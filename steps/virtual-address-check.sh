#!/usr/bin/env bash
# keepalived runs it each second: may this control plane have the virtual address? Where its API server is ready; and
# while etcd elects a leader, when nobody is ready and another one would be no better. Not where none of the others
# answers: this machine is cut off from them.
# As long as it may, and keepalived means to have it, the address is given 4 s more, so that it ends by itself where
# keepalived hangs: another one has it by then. One that keepalived has just removed would be there again: the kernel
# makes what it is to change.
#
#   virtual-address-check.sh CIDR INTERFACE MASTER READYZ OTHER…
#     MASTER  a file that is there while keepalived means to have the address
#     READYZ  of its own API server
#     OTHER   where another one answers, as https://10.10.0.11:6443
set -uo pipefail
cidr=$1 interface=$2 master=$3 readyz=$4
shift 4

asks() { curl --fail --silent --insecure --max-time "$1" --output /dev/null "$2"; }

# any PATH SERVER…: whether one of them answers. With its own before, it ends within keepalived's 2 s.
any() {
  local path=$1 server pid pids=()
  shift
  for server in "$@"; do
    asks 0.7 "$server$path" &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do
    if wait "$pid"; then return 0; fi
  done
  return 1
}

fit() {
  local alive
  if asks 0.9 "$readyz"; then return 0; fi
  exec {alive}< <(any '/livez?exclude=etcd' "$@" && echo yes)
  ! any /readyz "$@" && read -r -u "$alive"
}

fit "$@" || exit
if [[ -e $master && -n $(ip -oneline address show dev "$interface" to "$cidr") ]]; then
  ip address change "$cidr" dev "$interface" valid_lft 4 preferred_lft 0
fi
