#!/usr/bin/env bash
# One control plane's part of a restore. Its state is read from the node each time, so that a run that
# was killed anywhere is taken up by the next one. Nothing is deleted: former data is moved aside.
#
#   restore.sh state      what this node holds, as JSON; changes nothing
#   restore.sh salvage    a snapshot of what is here, before anything is touched; no quorum is needed
#   restore.sh receive    takes a decrypted set (tar.gz) from stdin
#   restore.sh stop       ends etcd and the API server here, until this control plane joins the restored one
#   restore.sh apply copy|survivor    puts the received set, or the salvaged snapshot, in place of what is here
#   restore.sh seed       the same on a new machine, for the step control-plane, which then begins with it
#   restore.sh begun      what begins with it is the set's cluster
#   restore.sh forget NODE    removes the Node object and the pods of a control plane that joins again
#   restore.sh relist     restarts what remembers objects of a time that no longer was
#   restore.sh finish     ends the restore here
set -euo pipefail
shopt -s inherit_errexit
library=${BASH_SOURCE[0]%/*}
# shellcheck source=steps/lib.sh
source "$library/lib.sh"
# shellcheck source=steps/etcd-member.sh
source "$library/etcd-member.sh"
# shellcheck source=steps/containers.sh
source "$library/containers.sh"
# shellcheck source=steps/private-etcd.sh
source "$library/private-etcd.sh"
# shellcheck source=steps/static-pods.sh
source "$library/static-pods.sh"
# shellcheck source=steps/restore-state.sh
source "$library/restore-state.sh"
# shellcheck source=steps/restore-salvage.sh
source "$library/restore-salvage.sh"
umask 077
home=$state/restore
manifests=/etc/kubernetes/manifests
data=/var/lib/etcd
encryption=/etc/kubernetes/encryption/config.yaml
# Keys of before a rotation.
former=/etc/kubernetes/encryption-keys

main() {
  case ${1:-} in
    state) tell_state ;;
    salvage | receive | stop | apply | seed | begun | forget | relist | finish)
      mkdir -p "$home"
      only_one "$home/lock" 120 "another restore is running on $(hostname)"
      "$@"
      ;;
    *) die "usage: restore.sh state|salvage|receive|stop|apply|seed|begun|forget|relist|finish" ;;
  esac
}

now() { date --utc +%Y%m%dT%H%M%SZ; }

# receive [SECONDS]    when the copy was made, as its name says: an older one may have been given a newer name
receive() {
  local found uid ca set=$home/set.new
  rm -rf "$set"
  mkdir "$set"
  found=$(bash "$library/unpack-set.sh" "$set")
  if [[ -n $found ]]; then
    rm -rf "$set"
    die "$found"
  fi
  uid=$(jq --raw-output .uid "$set/set.json")
  [[ -z $(known_uid) || $(known_uid) == "$uid" ]] || die "the copy is of cluster $uid, and $(hostname) is of $(known_uid): choose a copy of this cluster"
  ca=$(digest_of /etc/kubernetes/pki/ca.crt)
  [[ -z $ca || $ca == "$(digest_of "$set/pki/ca.crt")" ]] ||
    die "the copy's CA is not the one of $(hostname): its kubelets and users would be refused"
  [[ -z ${1:-} || $1 == "$(jq .takenAt "$set/set.json")" ]] ||
    die "the copy was made at $(jq --raw-output '.takenAt | todate' "$set/set.json"), and its name says $(date --utc --date "@$1" +%FT%TZ): it was renamed"
  [[ -n $ca ]] || say "the copy's CA, to be compared with certificate-authority-data of a kubeconfig: $(openssl x509 -in "$set/pki/ca.crt" -noout -fingerprint -sha256)"
  rm -rf "$home/set"
  mv "$set" "$home/set"
  say "the copy of $(jq --raw-output '.takenAt | todate' "$home/set/set.json"), revision $(jq .snapshot.revision "$home/set/set.json")"
}

apply() {
  local source=$1 path
  tools
  # A run whose client was killed has come to its end meanwhile; another copy was not received since.
  if [[ -e $home/serving && ! -e $home/set ]] && etcd_revision >/dev/null 2>&1; then
    serving
    return
  fi
  stop_pods
  if [[ ! -e $home/restored ]]; then
    path=$(manifest etcd)
    put_data "$(source_of "$source")" "$(manifest_flag name "$path")" "$(manifest_flag initial-advertise-peer-urls "$path")"
    # Secrets of the snapshot need the keys of that day.
    [[ $source != copy ]] || put "$home/set/encryption/config.yaml" "$encryption"
    date --utc +%FT%TZ >"$home/restored"
  fi
  start etcd
  wait_until 180 "etcd answers" etcd_revision
  start kube-apiserver
  wait_until 240 "the API server is ready" admin get --raw /readyz
  identify
  # They must list again: what they remember is of a time that no longer was.
  restart_static_pod kube-controller-manager
  restart_static_pod kube-scheduler
  systemctl restart kubelet
  serving
}

# What is to be restored.
source_of() {
  if [[ $1 == copy ]]; then
    [[ -s $home/set/snapshot.db ]] || die "no copy was received on $(hostname)"
    echo "$home/set/snapshot.db"
  else
    [[ -s $home/salvaged.json ]] || die "nothing was salvaged on $(hostname)"
    jq --raw-output .file "$home/salvaged.json"
  fi
}

# The cluster that answers is the one that it is to be.
identify() {
  local uid wanted
  uid=$(admin get namespace kube-system --output jsonpath='{.metadata.uid}')
  wanted=$(known_uid)
  [[ -n $wanted || ! -s $home/set/set.json ]] || wanted=$(jq --raw-output .uid "$home/set/set.json")
  [[ -z $wanted || $uid == "$wanted" ]] || die "the restored cluster has the UID $uid, and not $wanted"
  remember_uid "$uid"
}

serving() {
  date --utc +%FT%TZ >"$home/serving"
  # The set holds every secret of the cluster, and has done its work.
  rm -rf "$home/set" "$home/set.new" "$home/restored" "$home/seeded"
  say "the API server answers: cluster $(known_uid)"
}

# Ends what serves the old data. It stays, beside what a restore has saved.
stop() {
  stop_pods
  # It would make its Node again, and kubeadm takes no name of a Node that is Ready. The join starts it.
  systemctl stop kubelet
  # This machine belongs to no cluster until it joins again.
  rm -f "$state/cluster"
  if [[ -d $data/member ]]; then mv "$data/member" "$home/member.before-restore-$(now)"; fi
  say "stopped; former data: $(find "$home" -maxdepth 1 -name 'member.before-restore-*' -printf '%p ')"
}

stop_pods() {
  local name
  mkdir -p "$home/manifests"
  for name in kube-apiserver etcd; do
    if [[ -e $manifests/$name.yaml ]]; then mv "$manifests/$name.yaml" "$home/manifests/$name.yaml"; fi
  done
  for name in kube-apiserver etcd; do wait_until 180 "$name stopped" stopped "$name"; done
}

start() {
  if [[ -e $home/manifests/$1.yaml ]]; then mv "$home/manifests/$1.yaml" "$manifests/$1.yaml"; fi
}

# Revisions never go back for those who watch, and what they know of earlier ones is compacted: they list again.
put_data() {
  local source=$1 name=$2 peer=$3 size hash=()
  [[ -n $name && -n $peer ]] || die "etcd's name and its peers' URL are not known on $(hostname)"
  [[ $source != *.raw ]] || hash=(--skip-hash-check)
  size=$(stat --format %s "$source")
  mkdir -p "$data"
  (($(df --output=avail --block-size=1 "$data" | tail -n 1) > 2 * size)) || die "disk full: $data needs $((2 * size)) bytes more"
  # On the same file system, so that it is there whole or not at all.
  rm -rf "$data/restoring"
  etcdutl snapshot restore "$source" "${hash[@]}" --name "$name" --initial-cluster "$name=$peer" --initial-advertise-peer-urls "$peer" \
    --initial-cluster-token "oslo-$(date --utc +%s)" --bump-revision 1000000000 --mark-compacted --data-dir "$data/restoring" >"$home/log" 2>&1 ||
    die "etcdutl snapshot restore: $(tail -n 3 "$home/log")"
  if [[ -d $data/member ]]; then mv "$data/member" "$data/member.before-restore-$(now)"; fi
  mv "$data/restoring/member" "$data/member"
  chmod 0700 "$data" "$data/member"
  rm -rf "$data/restoring"
  sync "$data/member"
  say "data of $source is in place"
}

# A file of the set, with what was there kept beside it.
put() {
  if cmp --silent "$1" "$2"; then return; fi
  [[ ! -e $2 ]] || cp --preserve "$2" "$2.before-restore-$(now)"
  mkdir -p "${2%/*}"
  cp --preserve=mode "$1" "$2.new"
  mv "$2.new" "$2"
}

# From nothing: the cluster's own CAs and keys, its encryption, its data. kubeadm makes the rest.
seed() {
  local set=$home/set document=/etc/oslo-cluster/kubeadm-init.yaml file name peer
  [[ -s $set/set.json ]] || die "no copy was received on $(hostname)"
  etcd_tools "$(kubeadm config images list --config "$document" 2>/dev/null | grep '/etcd:')"
  while IFS= read -r file; do put "$set/pki/$file" "/etc/kubernetes/pki/$file"; done < <(find "$set/pki" -type f -printf '%P\n')
  put "$set/encryption/config.yaml" "$encryption"
  if [[ -d $set/encryption/former && ! -d $former ]]; then cp -r "$set/encryption/former" "$former"; fi
  name=$(sed -n 's/^nodeName=//p' "$state/claim")
  peer=$(sed -n 's/^ *advertiseAddress: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$document" | head -n 1)
  [[ $peer != *:* ]] || peer="[$peer]"
  put_data "$set/snapshot.db" "$name" "https://$peer:2380"
  date --utc +%FT%TZ >"$home/seeded"
}

begun() {
  wait_until 240 "the API server is ready" admin get --raw /readyz
  identify
  serving
}

# kubeadm takes no name of a Node that is Ready, and this one may seem so for a minute after its time.
forget() {
  admin delete node "$1" --ignore-not-found --timeout 60s
  admin delete pods --all-namespaces --field-selector "spec.nodeName=$1" --force --grace-period 0 --wait=false 2>/dev/null
}

relist() {
  local workload
  for workload in daemonset/cilium deployment/cilium-operator; do
    if admin --namespace kube-system get "$workload" >/dev/null 2>&1; then
      admin --namespace kube-system rollout restart "$workload"
    fi
  done
}

# What was saved stays.
finish() {
  if [[ -s $home/salvaged.json ]]; then mv "$home/salvaged.json" "$home/salvaged-$(now).json"; fi
  rm -rf "$home/set" "$home/set.new" "$home/restored" "$home/seeded" "$home/manifests" "$home/serving"
}

main "$@"
