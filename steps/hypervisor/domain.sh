# shellcheck shell=bash
# The guest's domain: defined, started with the hypervisor, running. A changed definition waits for
# the guest's next boot.

lock() { echo "$DOMAIN"; }

check() {
  local wanted
  if [[ $(uuid_of "$DOMAIN") != "$UUID" ]]; then
    echo "$DOMAIN: not defined as $UUID"
    return
  fi
  wanted=$(digest_in <"$WORK/domain.xml")
  [[ $(definition --inactive) == "$wanted" ]] || echo "$DOMAIN: defined otherwise"
  running "$DOMAIN" || echo "$DOMAIN: not running"
  [[ $(definition) == "$(definition --inactive)" ]] || echo "$DOMAIN: runs with its former definition until its next boot"
  virsh dominfo "$DOMAIN" | grep '^Autostart: *enable' >/dev/null || echo "$DOMAIN: does not start with the hypervisor"
}

apply() {
  local locked
  virsh define "$WORK/domain.xml" >/dev/null
  virsh autostart "$DOMAIN" >/dev/null
  running "$DOMAIN" || virsh start "$DOMAIN" >/dev/null
  locked=$(locked_mebibytes)
  ((locked >= LOCKED_MEBIBYTES)) ||
    die "$NODE: $locked MiB are locked in $(hostname)'s memory, $LOCKED_MEBIBYTES MiB asked for: raise the memlock limit of libvirt (systemctl edit libvirtd: LimitMEMLOCK=infinity), or set lockedMemory: false"
  if [[ $(definition) != "$(definition --inactive)" ]]; then
    say "$NODE runs with its former definition: the new one is taken at the next boot. Drain it (kubectl drain $NODE), then on $(hostname): virsh shutdown $DOMAIN; virsh start $DOMAIN"
  fi
  printf '{"uuid":"%s","lockedMebibytes":%d}\n' "$UUID" "$locked"
}

# The digest in the metadata of what runs, or of what the next boot takes.
definition() {
  virsh dumpxml "$DOMAIN" "$@" | digest_in
}

digest_in() { sed -n "s/.*definition .*digest=['\"]\([0-9a-f]*\)['\"].*/\1/p"; }

# Memory that QEMU holds locked, in MiB.
locked_mebibytes() {
  local pid
  pid=$(cat "/run/libvirt/qemu/$DOMAIN.pid" 2>/dev/null || true)
  awk '/^VmLck:/ { locked = int($2 / 1024) } END { print locked + 0 }' "/proc/${pid:-none}/status" 2>/dev/null || echo 0
}
