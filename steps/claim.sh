#!/usr/bin/env bash
# First contact: takes the machine for one cluster, puts the steps in place, reports who the machine is.
# The scripts follow this text on stdin; `put` takes them.
set -euo pipefail
cluster=$1
state=/var/lib/oslo-cluster
lib=/usr/local/lib/oslo-cluster

[[ $(id --user) == 0 ]] || { echo "error: not root; give the SSH user sudo without a password" >&2 && exit 1; }
[[ -d /run/systemd/system ]] || { echo "error: $(hostname) does not run systemd; take Debian or Ubuntu" >&2 && exit 1; }
command -v apt-get >/dev/null || { echo "error: $(hostname) has no apt-get; take Debian or Ubuntu" >&2 && exit 1; }

owner=$(sed -n 's/^clusterId=//p' "$state/claim" 2>/dev/null || true)
if [[ -n $owner && $owner != "$cluster" ]]; then
  echo "error: $(hostname) belongs to cluster $owner, not $cluster; destroy that cluster first, or take another machine" >&2
  exit 1
fi
mkdir -p "$state" "$lib"
printf 'clusterId=%s\nmachineId=%s\n' "$cluster" "$(cat /etc/machine-id)" >"$state/claim.new"
mv "$state/claim.new" "$state/claim"

put() {
  cat >"$lib/.$1.new"
  chmod 0755 "$lib/.$1.new"
  mv "$lib/.$1.new" "$lib/$1"
}

facts() {
  local macs
  macs=$(find /sys/class/net -maxdepth 1 -type l -printf '%p\n' | while read -r link; do
    if [[ $(readlink "$link") == *virtual* && ${link##*/} != eth* && ${link##*/} != ens* && ${link##*/} != enp* ]]; then continue; fi
    cat "$link/address"
  done | grep -v '^00:00:00:00:00:00$' | sort | xargs || true)
  printf '{"hostname":"%s","machineId":"%s","macAddresses":"%s","productUuid":"%s"}\n' \
    "$(hostname)" "$(cat /etc/machine-id)" "$macs" "$(cat /sys/class/dmi/id/product_uuid 2>/dev/null || true)"
}
