# shellcheck shell=bash
# The cluster's VLAN: tagged on the uplink, untagged on a bridge for guests, and back after a reboot.

unit=oslo-cluster-vlan$VLAN.service
lock() { echo "vlan$VLAN"; }

check() {
  cmp --silent "$WORK/unit" "/etc/systemd/system/$unit" || echo "/etc/systemd/system/$unit: differs"
  systemctl --quiet is-enabled "$unit" || echo "$unit: not enabled"
  [[ $(cat "/sys/class/net/$BRIDGE/mtu" 2>/dev/null) == "$MTU" ]] ||
    echo "$BRIDGE: MTU $(cat "/sys/class/net/$BRIDGE/mtu" 2>/dev/null || echo absent), expected $MTU"
  [[ -e /sys/class/net/$BRIDGE/brif/$VLAN_DEVICE ]] || echo "$VLAN_DEVICE: not a port of $BRIDGE"
}

apply() {
  if ! cmp --silent "$WORK/unit" "/etc/systemd/system/$unit"; then
    install -m 0644 "$WORK/unit" "/etc/systemd/system/.$unit.new"
    mv "/etc/systemd/system/.$unit.new" "/etc/systemd/system/$unit"
    systemctl daemon-reload
  fi
  systemctl --quiet enable "$unit"
  # Restarting would take the bridge from living guests; its commands take what is there as it is.
  systemctl start "$unit"
  ip link set dev "$VLAN_DEVICE" mtu "$MTU" master "$BRIDGE" up
  ip link set dev "$BRIDGE" mtu "$MTU" up
  firewall_sees_no_frames
  if [[ -f $WORK/functions.xml ]]; then
    virsh net-define "$WORK/functions.xml" >/dev/null
    virsh net-autostart "$BRIDGE-functions" >/dev/null
    virsh net-info "$BRIDGE-functions" | grep -q '^Active: *yes' || virsh net-start "$BRIDGE-functions" >/dev/null
  fi
  printf '{"device":"%s","bridge":"%s","mtu":%d}\n' "$VLAN_DEVICE" "$BRIDGE" "$(cat "/sys/class/net/$BRIDGE/mtu")"
}

# The hypervisor's own firewall would judge, and may drop, what guests send to one another.
firewall_sees_no_frames() {
  local key on=''
  for key in bridge-nf-call-iptables bridge-nf-call-ip6tables bridge-nf-call-arptables; do
    [[ $(cat "/proc/sys/net/bridge/$key" 2>/dev/null || echo 0) == 0 ]] || on+=" net.bridge.$key"
  done
  [[ -z $on ]] ||
    die "$(hostname):$on is 1: the hypervisor's firewall would filter guests' frames: set it to 0 (sysctl), or unload br_netfilter"
}

delete() {
  local ports=()
  [[ -f /etc/systemd/system/$unit ]] || {
    say "no VLAN $VLAN of ours on $(hostname)"
    return 0
  }
  if [[ -d /sys/class/net/$BRIDGE/brif ]]; then
    mapfile -t ports < <(find "/sys/class/net/$BRIDGE/brif" -mindepth 1 -printf '%f\n' | grep -vxF "$VLAN_DEVICE" || true)
  fi
  ((${#ports[@]} == 0)) || die "bridge $BRIDGE on $(hostname) still has the ports ${ports[*]}: shut down what uses them, then destroy again"
  if virsh net-info "$BRIDGE-functions" >/dev/null 2>&1; then
    virsh net-destroy "$BRIDGE-functions" >/dev/null 2>&1 || true
    virsh net-undefine "$BRIDGE-functions" >/dev/null
  fi
  systemctl --quiet disable --now "$unit"
  ! ip link show dev "$VLAN_DEVICE" >/dev/null 2>&1 || ip link delete dev "$VLAN_DEVICE"
  ! ip link show dev "$BRIDGE" >/dev/null 2>&1 || ip link delete dev "$BRIDGE"
  rm -f "/etc/systemd/system/$unit" # last: until here a repeated run finds its way
  systemctl daemon-reload
}
