# shellcheck shell=bash
# Who is on the VLAN, by ARP and neighbour discovery on $INTERFACE.

# Who answers for an address on the VLAN itself: MAC address (several with commas), and ARP's mean latency
# in milliseconds. Nothing where nobody answers. IPv6 has no arping: the entry that a ping has left.
neighbour() {
  case $1 in
    *:*) in_three_tries pinged_neighbour "$1" || true ;;
    *)
      { arping -c 2 -w 3 -I "$INTERFACE" "$1" 2>/dev/null || true; } | awk '
        $2 == "reply" {
          mac = tolower(substr($5, 2, 17))
          if (!(mac in seen)) { seen[mac]; macs = macs (macs == "" ? "" : ",") mac }
          sum += $6
          n++
        }
        END { if (n > 0) printf "%s %.3f\n", macs, sum / n }'
      ;;
  esac
}

pinged_neighbour() {
  ping -n -q -c 1 -W 1 "$1" >/dev/null 2>&1 || true
  remembered_neighbour "$1" | grep .
}

# Who this machine remembers as having an address, by MAC address.
remembered_neighbour() { ip neighbour show to "$1" dev "$INTERFACE" | sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p'; }
