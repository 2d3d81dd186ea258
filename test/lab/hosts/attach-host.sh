#!/usr/bin/env bash
# Gives a host a fresh network namespace with eth0 on the lab's bridge, as a power cycle gives a
# machine a fresh network stack. A hypervisor also gets eth1, a port of the trunk without an address.
#
# usage: attach-host.sh NETNS LAB_NETNS BRIDGE LINK MAC ADDRESS/LEN GATEWAY ADDRESS6/LEN GATEWAY6 \
#          XDP_PROGRAM [TRUNK UPLINK_LINK UPLINK_MAC UPLINK_MTU]
set -euo pipefail

netns=${1:?} lab=${2:?} bridge=${3:?} link=${4:?} mac=${5:?}
address=${6:?} gateway=${7:?} address6=${8:?} gateway6=${9:?}
xdp_program=${10:?} trunk=${11:-} uplink_link=${12:-} uplink_mac=${13:-} uplink_mtu=${14:-}

# The link first: the kernel takes down a deleted namespace's links in its own time.
for old in "$link" ${uplink_link:+"$uplink_link"}; do
  if ip -n "$lab" link show "$old" >/dev/null 2>&1; then ip -n "$lab" link delete "$old"; fi
done
if [[ -e /run/netns/$netns ]]; then ip netns delete "$netns"; fi

ip netns add "$netns"
ip -n "$lab" link add "$link" type veth peer name eth0 address "$mac" netns "$netns"
ip -n "$lab" link set dev "$link" xdpdrv object "$xdp_program" section xdp
ip -n "$lab" link set "$link" master "$bridge" up
ip -n "$netns" link set lo up
ip -n "$netns" address add "$address" dev eth0
ip -n "$netns" address add "$address6" dev eth0 nodad
# XDP hands a packet on without its sender's promise of a checksum that is yet to be computed.
nsenter --net="/run/netns/$netns" ethtool -K eth0 tx off >/dev/null
ip -n "$netns" link set eth0 up
ip -n "$netns" route add default via "$gateway" dev eth0
ip -n "$netns" -6 route add default via "$gateway6" dev eth0

if [[ -n $trunk ]]; then
  ip -n "$lab" link add "$uplink_link" mtu "$uplink_mtu" type veth \
    peer name eth1 address "$uplink_mac" mtu "$uplink_mtu" netns "$netns"
  ip -n "$lab" link set "$uplink_link" master "$trunk" up
  ip -n "$netns" link set eth1 up
fi
