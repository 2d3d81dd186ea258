# shellcheck shell=bash
# What changes under a living guest: disks that grow, CPUs that its vCPUs stand on.

main() {
  only_one "$DOMAIN"
  "$1"
}

apply() {
  grow root vda "$DISK_GIBIBYTES"
  ((ETCD_DISK_GIBIBYTES == 0)) || grow etcd vdb "$ETCD_DISK_GIBIBYTES"
  pin
}

# grow NAME TARGET GIBIBYTES
grow() {
  local disk=$DIRECTORY/$1.$FORMAT has wants=$(($3 * 1024 * 1024 * 1024))
  has=$(qemu-img info --force-share --output=json "$disk" | awk -F '[:,]' '/"virtual-size"/ { print int($2); exit }')
  if ((has > wants)); then
    die "$NODE: its $1 disk has $((has / 1024 / 1024 / 1024)) GiB, $3 asked: disks only grow; write the former size, or make the node anew by its generation"
  fi
  ((has < wants)) || return 0
  say "grow the $1 disk of $NODE to $3 GiB"
  if running "$DOMAIN"; then
    virsh blockresize "$DOMAIN" "$2" "${wants}B" >/dev/null
  else
    qemu-img resize -q -f "$FORMAT" "$disk" "$wants"
  fi
}

pin() {
  local cpu vcpu=0
  running "$DOMAIN" || return 0 # the definition pins from the first instruction on
  for cpu in $CPUS; do
    ! virsh vcpupin "$DOMAIN" "$vcpu" >/dev/null 2>&1 || virsh vcpupin "$DOMAIN" "$vcpu" "$cpu" --live >/dev/null
    vcpu=$((vcpu + 1))
  done
}
