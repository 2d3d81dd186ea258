# shellcheck shell=bash
# Can this machine hold what is asked of it? Changes nothing; says all that is wrong at once.

lock() { :; }

check() { :; } # its readings are of one moment

apply() {
  local problems memory_free disk_free
  missing_tools
  problems=$(
    virtualization_problems
    uplink_problems
    vlan_problems
    memory_problems
    disk_problems
    cpu_problems
    image_problems
  )
  [[ -z $problems ]] || die "$(hostname) cannot hold its guests:"$'\n'"$problems"
  memory_free=$(memory_left)
  disk_free=$(disk_left)
  printf '{"cpus":%d,"memoryMebibytesLeft":%d,"diskGibibytesLeft":%d,"uplinkMtu":%d,"libvirt":"%s"}\n' \
    "$(nproc)" "$memory_free" "$disk_free" "$(uplink_mtu)" "$(virsh --version)"
}

# Without these the rest could not even be asked.
missing_tools() {
  local tool missing=''
  for tool in virsh qemu-img qemu-system-x86_64 ip curl flock sha512sum ssh-keygen awk; do
    command -v "$tool" >/dev/null || missing+=" $tool"
  done
  command -v xorriso >/dev/null || command -v genisoimage >/dev/null || missing+=" xorriso"
  [[ -z $missing ]] ||
    die "$(hostname) lacks$missing: install libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils xorriso iproute2 curl openssh-client"
  virsh uri >/dev/null || die "$(hostname): libvirt does not answer: systemctl status libvirtd"
}

virtualization_problems() {
  [[ $DOMAIN_TYPE != kvm || -c /dev/kvm ]] ||
    echo "KVM: /dev/kvm is absent: switch virtualization on in the firmware and load kvm_intel or kvm_amd, or set nodes.libvirt.domainType: qemu (emulation)"
}

uplink_mtu() { cat "/sys/class/net/$UPLINK/mtu" 2>/dev/null || echo 0; }

uplink_problems() {
  if [[ ! -e /sys/class/net/$UPLINK ]]; then
    echo "uplink $UPLINK: absent (there are: $(find /sys/class/net -mindepth 1 -printf '%f\n' | sort | xargs)): correct nodes.libvirt.hypervisors[].uplink"
    return
  fi
  [[ $(cat "/sys/class/net/$UPLINK/operstate") != down ]] ||
    echo "uplink $UPLINK: down: plug it in, or ip link set $UPLINK up"
  (($(uplink_mtu) >= MTU)) ||
    echo "uplink $UPLINK: MTU $(uplink_mtu), network.mtu is $MTU: raise it on the uplink and on the switch, or lower network.mtu"
  ((SRIOV == 0)) || (($(cat "/sys/class/net/$UPLINK/device/sriov_numvfs" 2>/dev/null || echo 0) >= SRIOV)) ||
    echo "uplink $UPLINK: $(cat "/sys/class/net/$UPLINK/device/sriov_numvfs" 2>/dev/null || echo no) virtual functions, $SRIOV needed: write the number to /sys/class/net/$UPLINK/device/sriov_numvfs, or set nic: virtio"
}

# Ours is what our own unit has made. A living cluster keeps its VLAN.
vlan_problems() {
  local device unit made owner
  for unit in /etc/systemd/system/oslo-cluster-vlan*.service; do
    [[ -f $unit ]] || continue
    made=$(sed -n 's/^Description=\(.*\) for cluster .*/\1/p' "$unit")
    owner=$(sed -n 's/^Description=.* for cluster //p' "$unit")
    if [[ $owner == "$CLUSTER" ]]; then
      [[ $made == "VLAN $VLAN on $UPLINK" ]] ||
        echo "VLAN $VLAN on $UPLINK: cluster $CLUSTER is on $made here: restore that in network.vlan.id and uplink, or destroy the cluster first"
      return
    elif [[ $unit == */oslo-cluster-vlan$VLAN.service ]]; then
      echo "VLAN $VLAN: belongs to cluster $owner: give this cluster another network.vlan.id"
      return
    fi
  done
  device=$(ip -o -d link show type vlan 2>/dev/null | sed -n "s/^[0-9]*: \([^@:]*\)@$UPLINK: .* vlan protocol 802.1Q id $VLAN .*/\1/p")
  [[ -z $device ]] ||
    echo "VLAN $VLAN: $device on $UPLINK has it already, and this program did not make it: remove it, or choose another network.vlan.id"
  [[ ! -e /sys/class/net/$BRIDGE ]] ||
    echo "bridge $BRIDGE: exists already, and this program did not make it: remove it, or choose another network.vlan.id"
}

# MiB that other guests do not hold, of what guests may take.
memory_left() {
  local total others=0 domain size
  total=${MEMORY_LIMIT_MEBIBYTES:-$(($(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo) - RESERVED_MEBIBYTES))}
  while read -r domain; do
    [[ -n $domain && " $GUESTS " != *" $domain "* ]] || continue
    size=$(virsh dominfo "$domain" | awk '/^Max memory:/ { print int($3 / 1024) }')
    others=$((others + size))
  done < <(virsh list --all --name)
  echo $((total - others))
}

memory_problems() {
  local left
  left=$(memory_left)
  ((MEMORY_MEBIBYTES <= left)) ||
    echo "memory: guests take $MEMORY = $MEMORY_MEBIBYTES MiB, and $left MiB are left (after ${RESERVED_MEBIBYTES} MiB for the host and other guests): lower memoryMebibytes or count of a pool, or place nodes elsewhere"
  huge_page_problems 2048 2MiB "$HUGE_2MIB_MEBIBYTES"
  huge_page_problems 1048576 1GiB "$HUGE_1GIB_MEBIBYTES"
}

huge_page_problems() {
  local pages have
  (($3 > 0)) || return 0
  pages=/sys/kernel/mm/hugepages/hugepages-$1kB/nr_hugepages
  have=$(($(cat "$pages" 2>/dev/null || echo 0) * $1 / 1024))
  ((have >= $3)) ||
    echo "huge pages of $2: guests take $3 MiB, and $have MiB are reserved: write the number of pages to $pages (and to the kernel's command line)"
}

# GiB below the storage: what is free, and what our own disks hold already.
disk_left() {
  local place=$STORAGE free own=0
  while [[ ! -d $place ]]; do place=$(dirname "$place"); done
  free=$(df --output=avail -B1 "$place" | tail -n 1)
  if [[ -d $STORAGE/oslo-cluster/$CLUSTER ]]; then
    own=$(du -s -B1 "$STORAGE/oslo-cluster/$CLUSTER" | cut -f 1)
  fi
  echo $(((free + own) / 1024 / 1024 / 1024))
}

disk_problems() {
  local left
  left=$(disk_left)
  ((DISK_GIBIBYTES <= left)) ||
    echo "disk below $STORAGE: guests take $DISK = $DISK_GIBIBYTES GiB, and $left GiB are left: free space, lower diskGibibytes or count, or set storage"
}

cpu_problems() {
  local cpu absent=''
  [[ $DOMAIN_TYPE != kvm ]] || ((VCPUS <= $(nproc --all))) ||
    echo "CPUs: a guest wants $VCPUS vCPUs, and the machine has $(nproc --all): lower vcpus"
  for cpu in $PINNED_CPUS; do
    [[ -d /sys/devices/system/cpu/cpu$cpu && $(cat "/sys/devices/system/cpu/cpu$cpu/online" 2>/dev/null || echo 1) == 1 ]] ||
      absent+=" $cpu"
  done
  [[ -z $absent ]] ||
    echo "CPUs: pinned to$absent, and the machine has $(cat /sys/devices/system/cpu/online) online: correct cpuPinning"
}

image_problems() {
  [[ -z ${IMAGE_PATH:-} || -r $IMAGE_PATH ]] ||
    echo "image $IMAGE_PATH: absent: put it there, or set nodes.libvirt.image.url"
}
