# shellcheck shell=bash
# Is this machine fit to be a node? Measures everything, then says all that is wrong at once.

# What can change under a running cluster; the rest was measured once.
check() {
  interface_problems
  overlay_problems
}

apply() {
  local problems steal memory cpus free
  cpus=$(nproc)
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  free=$(df --output=pcent /var/lib | awk 'NR == 2 { print 100 - $1 }')
  say "measure steal for $STEAL_WINDOW_SECONDS s"
  steal=$(steal_percent)
  problems=$(
    interface_problems
    overlay_problems
    kernel_problems
    at_least "CPUs" "$cpus" "$CPUS" "" "take a larger machine"
    at_least "memory" "$memory" "$MEMORY_MEBIBYTES" " MiB" "take a larger machine"
    at_least "free disk below /var/lib" "$free" "$DISK_FREE_PERCENT" " %" "free space, or the kubelet will evict pods; or lower gates.diskFreePercent"
    if exceeds "$steal" "$STEAL_PERCENT"; then
      echo "CPU steal: $steal % over $STEAL_WINDOW_SECONDS s, allowed $STEAL_PERCENT %: the hypervisor is oversold: take another machine, or raise gates.stealPercent"
    fi
  )
  reading "$(printf '{"cpus":%d,"memoryMebibytes":%d,"diskFreePercent":%d,"stealPercent":%s,"mtu":%d,"kernel":"%s"}' \
    "$cpus" "$memory" "$free" "$steal" "$(mtu)" "$(uname -r)")"
  [[ -z $problems ]] || die "$(hostname) is not fit to be a node:"$'\n'"$problems"
}

at_least() {
  if exceeds "$3" "$2"; then echo "$1: $2$4, needed $3$4: $5"; fi
}

mtu() { ip -o link show dev "$INTERFACE" 2>/dev/null | sed -n 's/.* mtu \([0-9]*\) .*/\1/p'; }

interface_problems() {
  local address
  if [[ -z $(mtu) ]]; then
    echo "interface $INTERFACE: absent (there are: $(ip -o link show | awk -F'[:@] ?' '{ print $2 }' | xargs)): set network.vlan.interface"
    return
  fi
  if (($(mtu) != MTU)); then
    echo "interface $INTERFACE: MTU $(mtu), expected $MTU: set it on the machine, or network.mtu"
  fi
  for address in $ADDRESSES; do
    # Not `grep -q`: it would end the pipe early, and pipefail would take that for "not found".
    ip -o address show dev "$INTERFACE" | grep -F " $address/" >/dev/null ||
      echo "interface $INTERFACE: does not have the address $address: add it, or correct the node's addresses"
  done
}

# The articles' own test: ip -d link show | grep vxlan
overlay_problems() {
  local device
  while IFS= read -r device; do
    echo "overlay device $device: packets would be encapsulated: remove it (ip link delete $device)"
  done < <({ ip -o link show type vxlan && ip -o link show type geneve; } | awk -F': ' '{ print $2 }')
}

kernel_problems() {
  local release
  release=$(uname -r)
  printf '%s\n5.10\n' "$release" | sort --version-sort --check=quiet --reverse ||
    echo "kernel: $release, Cilium needs 5.10 or newer: upgrade the distribution"
}

# Stolen ticks among all ticks of the window.
steal_percent() {
  local before after
  before=$(head -n 1 /proc/stat)
  sleep "$STEAL_WINDOW_SECONDS"
  after=$(head -n 1 /proc/stat)
  printf '%s\n%s\n' "$before" "$after" | awk '
    { total = 0; for (i = 2; i <= 9; i++) total += $i; t[NR] = total; s[NR] = $9 }
    END { printf "%.2f", (100 * (s[2] - s[1]) / (t[2] - t[1])) }'
}
