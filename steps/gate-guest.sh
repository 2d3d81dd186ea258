# shellcheck shell=bash
# Is this virtual machine what was asked for? Queues, CPUs, memory that stays, softirq on every CPU.

# What can change under a running cluster; the rest was measured once.
check() { device_problems; }

apply() {
  local problems memory usage accepted=$state/gate-guest.boot boot
  boot=$(cat /proc/sys/kernel/random/boot_id)
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  say "measure softirq for $WINDOW_SECONDS s"
  usage=$(LC_ALL=C mpstat -P ALL -o JSON "$WINDOW_SECONDS" 1 |
    jq --compact-output '[.sysstat.hosts[0].statistics[-1]["cpu-load"][] | select(.cpu != "all") | {cpu, soft, idle}]')
  problems=$(definition_problems "$memory")
  # A machine that passed in this boot is what it was defined as then.
  if [[ -n $problems && -f $accepted && $(cat "$accepted") == "$boot" ]]; then
    say "$(hostname) waits for its next boot:"$'\n'"$problems"
    problems=''
  fi
  problems=$(printf '%s\n' "$problems" "$(device_problems)" "$(softirq_problems "$usage")" | sed '/^$/d')
  reading "$(printf '{"queues":{"current":%s,"maximum":%s},"guestMemoryMebibytes":%d,"softirqPercent":%s}' \
    "$(queues Current)" "$(queues Pre-set)" "$memory" "$(jq --compact-output 'map(.soft)' <<<"$usage")")"
  [[ -z $problems ]] || die "$(hostname) is not the machine that was asked for:"$'\n'"$problems"
  echo "$boot" >"$accepted"
}

# Queue pairs of the network card; `Pre-set` is what it has, `Current` what the driver uses.
queues() {
  { ethtool --show-channels "$INTERFACE" 2>/dev/null || true; } | awk -v part="$1" '
    /:$/ { inside = index($0, part) == 1 }
    inside && $1 == "Combined:" { n = $2 }
    END { print n ~ /^[0-9]+$/ ? n : 0 }'
}

# definition_problems MEMORY: what the hypervisor gives otherwise than it was asked to.
definition_problems() {
  if (($(nproc) < VCPUS)); then
    echo "CPUs: $(nproc), asked for $VCPUS: compare virsh vcpucount"
  fi
  if (($(queues Pre-set) < QUEUES)); then
    echo "queues of $INTERFACE: $(queues Pre-set), asked for $QUEUES: the machine's network card lacks them; compare queues= in virsh dumpxml"
  fi
  if exceeds "$MEMORY_PERCENT" "$(awk -v seen="$1" -v asked="$MEMORY_MEBIBYTES" 'BEGIN { printf "%.6f", 100 * seen / asked }')"; then
    echo "memory: $1 MiB of $MEMORY_MEBIBYTES MiB, needed $MEMORY_PERCENT %: the hypervisor gives less than the machine's definition says; compare virsh dominfo"
  fi
}

device_problems() {
  local device used receiving
  # Its driver uses no more queues than there are CPUs.
  used=$(queues Pre-set)
  if (($(nproc) < used)); then used=$(nproc); fi
  receiving=$(find "/sys/class/net/$INTERFACE/queues" -maxdepth 1 -name 'rx-*' 2>/dev/null | wc -l)
  if (($(queues Current) < used || receiving < used)); then
    echo "queues of $INTERFACE in use: $(queues Current) (receiving: $receiving), needed $used: ethtool --set-channels $INTERFACE combined $used"
  fi
  for device in /sys/bus/virtio/devices/*/device; do
    # 5 is the balloon's number in the virtio specification.
    if [[ -e $device && $(cat "$device") == 0x0005 ]]; then
      echo "memory balloon ${device%/device}: the hypervisor can take memory back: set memballoon model='none' in the machine's definition"
    fi
  done
}

# One CPU does all of the network's work while another has nothing to do. With one CPU alone: no time is left.
softirq_problems() {
  jq --raw-output --argjson limit "$SOFTIRQ_PERCENT" '
    . as $all | .[] | select(.soft > $limit) | . as $busy
    | select(($all | length) == 1 or any($all[]; .cpu != $busy.cpu and .idle > 50))
    | "CPU \(.cpu): \(.soft) % softirq, allowed \($limit) %: one CPU handles the network while others idle; give the network card more queues"' <<<"$1"
}
