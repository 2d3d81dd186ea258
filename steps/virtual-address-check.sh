#!/usr/bin/env bash
# keepalived runs it each second: may this control plane have the virtual address? And where it has it, the address is
# given 4 s more, so that it ends by itself where keepalived hangs: another one has it by then.
#
#   virtual-address-check.sh CIDR INTERFACE READYZ
set -uo pipefail
cidr=$1 interface=$2 readyz=$3
if [[ -n $(ip -oneline address show dev "$interface" to "$cidr") ]]; then
  ip address change "$cidr" dev "$interface" valid_lft 4 preferred_lft 0
fi
exec curl --fail --silent --insecure --max-time 0.9 --output /dev/null "$readyz"
