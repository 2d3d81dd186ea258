#!/usr/bin/env bash
# First contact: takes the machine for one cluster, puts the steps in place, reports who the machine is.
# The scripts follow this text on stdin; `put` takes them.
set -euo pipefail
cluster=$1 node=$2
state=/var/lib/oslo-cluster
lib=/usr/local/lib/oslo-cluster

[[ $(id --user) == 0 ]] || { echo "error: $(id --name --user) on $(hostname) is not root: give that user sudo without a password, or log in as root" >&2 && exit 1; }
[[ -d /run/systemd/system ]] || { echo "error: $(hostname) does not run systemd; take Debian or Ubuntu" >&2 && exit 1; }
command -v apt-get >/dev/null || { echo "error: $(hostname) has no apt-get; take Debian or Ubuntu" >&2 && exit 1; }

owner=$(sed -n 's/^clusterId=//p' "$state/claim" 2>/dev/null || true)
if [[ -n $owner && $owner != "$cluster" ]]; then
  echo "error: $(hostname) belongs to cluster $owner, not $cluster; destroy that cluster first, or take another machine" >&2
  exit 1
fi
if [[ -z $owner ]]; then
  for trace in /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubernetes/manifests/kube-apiserver.yaml \
    /var/lib/etcd/member /var/lib/kubelet/config.yaml; do
    [[ ! -e $trace ]] ||
      { echo "error: $(hostname) holds a Kubernetes that this program did not make ($trace): release it with kubeadm reset, or take another machine" >&2 && exit 1; }
  done
fi
known=$(sed -n 's/^nodeName=//p' "$state/claim" 2>/dev/null || true)
if [[ -n $known && $known != "$node" ]]; then
  echo "error: $(hostname) is node $known of this cluster; a node is not renamed in place: remove $known in one up, and add $node in the next" >&2
  exit 1
fi
machine=$(sed -n 's/^machineId=//p' "$state/claim" 2>/dev/null || true)
if [[ -n $machine && $machine != "$(cat /etc/machine-id)" ]]; then
  echo "error: this disk was claimed as machine $machine and now runs as $(cat /etc/machine-id): on a copy remove $state and /etc/kubernetes, on a machine that was given a new id remove $state/claim" >&2
  exit 1
fi
mkdir -p "$state" "$lib"
printf 'clusterId=%s\nnodeName=%s\nmachineId=%s\n' "$cluster" "$node" "$(cat /etc/machine-id)" >"$state/claim.new"
mv "$state/claim.new" "$state/claim"

put() {
  cat >"$lib/.$1.new"
  chmod 0755 "$lib/.$1.new"
  mv "$lib/.$1.new" "$lib/$1"
}

facts() {
  local macs
  # Network cards by their predictable names; bridges, tunnels and pods' devices come and go.
  macs=$(ip -o link show | sed -n 's/^[0-9]*: e[a-z0-9]*[:@].* link\/ether \([0-9a-f:]*\) .*/\1/p' | sort | xargs)
  printf '{"hostname":"%s","machineId":"%s","macAddresses":"%s","productUuid":"%s"}\n' \
    "$(hostname)" "$(cat /etc/machine-id)" "$macs" "$(cat /sys/class/dmi/id/product_uuid 2>/dev/null || true)"
}
