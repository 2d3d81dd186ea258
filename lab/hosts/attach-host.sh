#!/usr/bin/env bash
# Gives a host a fresh network namespace with eth0 on the lab's bridge, as a power cycle gives a
# machine a fresh network stack.
#
# usage: attach-host.sh NETNS LAB_NETNS BRIDGE LINK MAC ADDRESS/LEN GATEWAY ADDRESS6/LEN GATEWAY6
set -euo pipefail

netns=${1:?} lab=${2:?} bridge=${3:?} link=${4:?} mac=${5:?}
address=${6:?} gateway=${7:?} address6=${8:?} gateway6=${9:?}

# The link first: the kernel takes down a deleted namespace's links in its own time.
if ip -n "$lab" link show "$link" >/dev/null 2>&1; then ip -n "$lab" link delete "$link"; fi
if [[ -e /run/netns/$netns ]]; then ip netns delete "$netns"; fi

ip netns add "$netns"
ip -n "$lab" link add "$link" type veth peer name eth0 address "$mac" netns "$netns"
ip -n "$lab" link set "$link" master "$bridge" up
ip -n "$netns" link set lo up
ip -n "$netns" address add "$address" dev eth0
ip -n "$netns" address add "$address6" dev eth0 nodad
ip -n "$netns" link set eth0 up
ip -n "$netns" route add default via "$gateway" dev eth0
ip -n "$netns" -6 route add default via "$gateway6" dev eth0
