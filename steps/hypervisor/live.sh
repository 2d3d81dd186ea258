# shellcheck shell=bash
# What changes under a living guest: disks that grow, CPUs that its vCPUs are pinned to.

lock() { echo "$DOMAIN"; }

check() {
  local disk
  for disk in "root $DISK_GIBIBYTES" "etcd $ETCD_DISK_GIBIBYTES"; do
    [[ ${disk#* } == 0 || $(size "${disk% *}") == $((${disk#* } * 1024 * 1024 * 1024)) ]] ||
      echo "$DIRECTORY/${disk% *}.$FORMAT: $(size "${disk% *}") bytes, expected ${disk#* } GiB"
  done
}

apply() {
  grow root vda "$DISK_GIBIBYTES"
  ((ETCD_DISK_GIBIBYTES == 0)) || grow etcd vdb "$ETCD_DISK_GIBIBYTES"
  pin
}

# grow NAME TARGET GIBIBYTES
grow() {
  local disk=$DIRECTORY/$1.$FORMAT has wants=$(($3 * 1024 * 1024 * 1024))
  has=$(size "$1")
  if ((has > wants)); then
    die "$NODE: its $1 disk has $((has / 1024 / 1024 / 1024)) GiB, $3 GiB asked for: disks only grow; write the former size, or re-create the node by its generation"
  fi
  ((has < wants)) || return 0
  say "grow the $1 disk of $NODE to $3 GiB"
  if running "$DOMAIN"; then
    virsh blockresize "$DOMAIN" "$2" "${wants}B" >/dev/null
  else
    qemu-img resize -q -f "$FORMAT" "$disk" "$wants"
  fi
}

# Bytes that the guest sees; the last mention, since a file below it comes first.
size() {
  qemu-img info --force-share --output=json "$DIRECTORY/$1.$FORMAT" |
    awk -F '[:,]' '/"virtual-size"/ { bytes = $2 } END { printf "%.0f", bytes }'
}

pin() {
  local cpu vcpu=0
  running "$DOMAIN" || return 0 # the definition pins from the first instruction on
  for cpu in $CPUS; do
    ! virsh vcpupin "$DOMAIN" "$vcpu" >/dev/null 2>&1 || virsh vcpupin "$DOMAIN" "$vcpu" "$cpu" --live >/dev/null
    vcpu=$((vcpu + 1))
  done
}
