# shellcheck shell=bash
# What a guest consists of while it does not run: its disks, its host key, its seed for cloud-init.

key=$DIRECTORY/host-key
root=$DIRECTORY/root.${FORMAT:-}
etcd=$DIRECTORY/etcd.${FORMAT:-}
lock() { echo "$DOMAIN"; }

check() {
  [[ -f $root ]] || echo "$root: absent"
  ((ETCD_DISK == 0)) || [[ -f $etcd ]] || echo "$etcd: absent"
  [[ ! -e $key && ! -e $DIRECTORY/seed.iso ]] || echo "$DIRECTORY: still holds the guest's private host key"
}

apply() {
  local other
  other=$(uuid_of "$DOMAIN")
  [[ -z $other || $other == "$UUID" ]] ||
    die "$(hostname) has a domain $DOMAIN with another UUID ($other): not made by this program, or of another generation; virsh undefine it, or rename the node"
  make_directory "$DIRECTORY"
  # The root disk comes last: where it is, the key and the seed have been made.
  if [[ ! -f $root ]]; then
    make_key
    make_seed
    ((ETCD_DISK == 0)) || make_disk "$etcd" create -q -f "$FORMAT" "$etcd.new" 1G
    say "make the root disk of $NODE"
    make_disk "$root" convert -q -O "$FORMAT" "$IMAGE" "$root.new"
  fi
  cat "$key.pub"
}

make_disk() {
  local disk=$1
  shift
  rm -f "$disk" "$disk.new"
  qemu-img "$@"
  mv "$disk.new" "$disk"
}

make_key() {
  rm -f "$key" "$key.pub"
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$key"
  sed -i 's/ *$//' "$key.pub"
}

# Private to root, who hands it to QEMU; gone after the first boot. So is the private key itself.
make_seed() {
  mkdir "$WORK/seed"
  # Appended and not put into the text: nothing that is there can take the key.
  {
    cat "$WORK/user-data"
    printf 'ssh_keys:\n  ed25519_private: |\n'
    sed 's/^/    /' "$key"
    printf '  ed25519_public: %s\n' "$(cat "$key.pub")"
  } >"$WORK/seed/user-data"
  cp "$WORK/meta-data" "$WORK/network-config" "$WORK/seed/"
  rm -f "$DIRECTORY/seed.iso"
  if command -v xorriso >/dev/null; then
    xorriso -as mkisofs -quiet -volid cidata -joliet -rock -output "$DIRECTORY/seed.iso" "$WORK/seed" 2>/dev/null
  else
    genisoimage -quiet -volid cidata -joliet -rock -output "$DIRECTORY/seed.iso" "$WORK/seed"
  fi
  chmod 0600 "$DIRECTORY/seed.iso"
}

# Once the guest has booted, nothing on the hypervisor needs the key any more.
forget-seed() {
  if running "$DOMAIN" && virsh domblklist "$DOMAIN" | grep -q ' vdz '; then
    virsh detach-disk "$DOMAIN" vdz --live >/dev/null || say "$DOMAIN keeps its empty seed until its next boot"
  fi
  rm -f "$key" "$DIRECTORY/seed.iso"
}

delete() {
  local other
  other=$(uuid_of "$DOMAIN")
  if [[ -n $other && $other != "$UUID" ]]; then
    say "domain $DOMAIN on $(hostname) has another UUID ($other): left alone"
    return 0
  fi
  if [[ -n $other ]]; then
    stopped "$DOMAIN" || virsh destroy "$DOMAIN" >/dev/null
    wait_until 60 "$DOMAIN is off" stopped "$DOMAIN"
    virsh undefine "$DOMAIN" --nvram >/dev/null 2>&1 || virsh undefine "$DOMAIN" >/dev/null
  fi
  rm -rf "$DIRECTORY"
  rmdir --ignore-fail-on-non-empty "${DIRECTORY%/*}" 2>/dev/null || true
}
