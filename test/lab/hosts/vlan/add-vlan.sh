#!/usr/bin/env bash
# Replaces `ip link add link UPLINK name NAME type vlan id VLAN` on a kernel without 802.1Q: NAME
# is one end of a veth pair, whose frames BPF programs tag on their way to the uplink and back. On the
# wire it is the same VLAN, and `ip link delete NAME` ends it.
#
# usage: add-vlan UPLINK NAME VLAN
set -euo pipefail

uplink=${1:?} name=${2:?} vlan=${3:?}
inner=v$vlan-$uplink
here=$(dirname "$(readlink -f "$0")")

index() { ip -o link show dev "$1" | cut -d: -f1; }

mtu=$(ip -o link show dev "$uplink" | sed -n 's/.* mtu \([0-9]*\) .*/\1/p')
ip link add name "$name" mtu "$mtu" type veth peer name "$inner" mtu "$mtu"
ip link set dev "$inner" addrgenmode none up

programs=$(mktemp -d)
trap 'umount "$programs"; rmdir "$programs"' EXIT
mount -t bpf bpf "$programs"
"$here/vlan-programs" "$programs" "$vlan" "$(index "$uplink")" "$(index "$inner")"

# What an earlier device of the same VLAN left on the uplink points to nowhere.
tc qdisc add dev "$uplink" clsact 2>/dev/null || true
tc filter delete dev "$uplink" ingress pref "$vlan" 2>/dev/null || true
tc filter add dev "$uplink" ingress pref "$vlan" bpf direct-action object-pinned "$programs/receive"
tc qdisc add dev "$inner" clsact
tc filter add dev "$inner" ingress bpf direct-action object-pinned "$programs/send"
