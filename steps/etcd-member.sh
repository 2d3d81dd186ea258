# shellcheck shell=bash
# This node's own etcd member, asked with the programs of the image that runs it. Sourced after lib.sh and containers.sh.

etcd_manifest=/etc/kubernetes/manifests/etcd.yaml
etcd_pki=/etc/kubernetes/pki/etcd
etcd_endpoint=(--endpoints https://127.0.0.1:2379 --cacert "$etcd_pki/ca.crt" --cert "$etcd_pki/server.crt" --key "$etcd_pki/server.key")

# The image of a static pod, by its manifest.
image_of() { sed -n "s/^[ -]*image: *//p" "$1" | head -n 1; }

# Puts etcd's programs of an image on PATH. A snapshot is restored by the version that will run it.
etcd_tools() {
  local image=$1 directory
  [[ -n $image ]] || die "$(hostname): no image of etcd in $etcd_manifest"
  directory=$state/etcd-tools/$(tr -c 'A-Za-z0-9.\n' '-' <<<"${image##*/}")
  if [[ ! -x $directory/etcd || ! -x $directory/etcdutl ]]; then
    rm -rf "$directory.new"
    mkdir -p "$directory.new"
    from_image "$image" "$directory.new" etcd etcdctl etcdutl
    rm -rf "$directory"
    mv "$directory.new" "$directory"
  fi
  PATH=$directory:$PATH
}

# etcdctl against this node's member alone.
etcd() { etcdctl "${etcd_endpoint[@]}" --command-timeout "${ETCD_TIMEOUT:-10s}" "$@"; }

# The cluster's revision by a linearizable read: fails where this member has lost its cluster.
etcd_revision() { etcd get oslo-cluster/none --write-out json | jq '.header.revision'; }

# The UID of the cluster that this node was made for; it never changes, whatever etcd holds now.
known_uid() { cat "$state/uid" 2>/dev/null || true; }

remember_uid() {
  echo "$1" >"$state/uid.new"
  mv "$state/uid.new" "$state/uid"
}

# The UID of kube-system, which names this very cluster. An etcd that lost its data comes back as an empty
# cluster with another one: that is nobody's state to keep.
cluster_uid() {
  local known uid
  known=$(known_uid)
  uid=$(admin --request-timeout 5s get namespace kube-system --output jsonpath='{.metadata.uid}' 2>/dev/null) || uid=
  [[ -n $uid || -n $known ]] || die "the cluster's UID is not known here and the API server does not answer"
  [[ -z $uid || -z $known || $uid == "$known" ]] ||
    die "the API server serves cluster $uid, and $(hostname) was made for $known: etcd's data was lost or replaced; restore it (oslo-cluster etcd restore <stack>)"
  if [[ -z $known ]]; then
    remember_uid "$uid"
  fi
  known_uid
}
