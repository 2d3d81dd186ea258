#!/usr/bin/env bash
# One control plane's part of a restore. Its state is read from the node each time, so that a run that
# was killed anywhere is taken up by the next one. Nothing is deleted: former data is moved aside.
#
#   restore.sh state      what this node holds, as JSON
#   restore.sh salvage    a snapshot of what is here, before anything is touched; no quorum is needed
#   restore.sh receive    takes a decrypted set (tar.gz) from stdin
#   restore.sh apply      puts the received set, or else the salvaged snapshot, in place of what is here
#   restore.sh stop       ends etcd and the API server here, until they are to join the restored one
set -euo pipefail
shopt -s inherit_errexit
library=${BASH_SOURCE[0]%/*}
# shellcheck source=steps/lib.sh
source "$library/lib.sh"
# shellcheck source=steps/etcd-member.sh
source "$library/etcd-member.sh"
# shellcheck source=steps/containers.sh
source "$library/containers.sh"
# shellcheck source=steps/static-pods.sh
source "$library/static-pods.sh"
umask 077
home=$state/restore
manifests=/etc/kubernetes/manifests
data=/var/lib/etcd
encryption=/etc/kubernetes/encryption/config.yaml

main() {
  mkdir -p "$home"
  case ${1:-} in
    state) tell_state ;;
    salvage | receive | apply | stop)
      exec 9>"$home/lock"
      flock --timeout 60 9 || die "another restore is at work on $(hostname)"
      "$1"
      ;;
    *) die "usage: restore.sh state|salvage|receive|apply|stop" ;;
  esac
}

# A manifest, wherever a restore has put it.
manifest() {
  local path
  for path in "$manifests/$1.yaml" "$home/manifests/$1.yaml"; do
    if [[ -e $path ]]; then
      echo "$path"
      return
    fi
  done
  die "$(hostname) has no manifest of $1: no control plane was made here"
}

tools() {
  local path
  path=$(manifest etcd)
  etcd_tools "$(image_of "$path")"
}

tell_state() {
  local made=no data_here=no quorum=no revision=0 uid=''
  if [[ -e $manifests/etcd.yaml || -e $home/manifests/etcd.yaml ]]; then
    made=yes
    tools
    [[ ! -d $data/member ]] || data_here=yes
    if ETCD_TIMEOUT=5s etcd_revision >/dev/null 2>&1; then quorum=yes; fi
    uid=$(uid_in_etcd)
    revision=$(ETCD_TIMEOUT=5s etcd endpoint status --write-out json 2>/dev/null | jq '.[0].Status.header.revision' || echo 0)
  fi
  jq --null-input --compact-output --arg made "$made" --arg data "$data_here" --arg quorum "$quorum" --arg uid "$uid" \
    --arg known "$(known_uid)" --argjson revision "${revision:-0}" --arg ca "$(digest_of /etc/kubernetes/pki/ca.crt)" \
    --arg phase "$(phase)" --arg members "$(ETCD_TIMEOUT=5s etcd member list --write-out json 2>/dev/null | jq '.members | length' || echo 0)" '{
      made: ($made == "yes"), data: ($data == "yes"), quorum: ($quorum == "yes"), $uid, knownUid: $known, $revision, $ca,
      $phase, members: ($members | tonumber? // 0)
    }'
}

# What a restore has come to here: none, stopped (the manifests are out), restored (the data is in).
phase() {
  if [[ -e $home/restored ]]; then
    echo restored
  elif [[ -e $home/manifests/etcd.yaml ]]; then
    echo stopped
  else
    echo none
  fi
}

digest_of() { [[ ! -e $1 ]] || sha256sum <"$1" | cut -d' ' -f1; }

# The UID of kube-system as this member has it, with or without quorum.
uid_in_etcd() {
  ETCD_TIMEOUT=5s etcd get /registry/namespaces/kube-system --consistency s --print-value-only 2>/dev/null |
    grep --text --only-matching --extended-regexp '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1 || true
}

# With etcd's help where it runs; else the file of its database, which it has left.
salvage() {
  local file
  tools
  file=$home/salvaged-$(date --utc +%Y%m%dT%H%M%SZ).db
  if ETCD_TIMEOUT=300s etcd snapshot save "$file.part" >/dev/null 2>&1; then
    mv "$file.part" "$file"
  elif [[ -f $data/member/snap/db ]]; then
    [[ -z $(system_containers etcd) ]] || die "etcd runs and gives no snapshot; run again"
    cp "$data/member/snap/db" "$file.part"
    # The database alone: what its log holds beyond it is not in it.
    mv "$file.part" "$file.raw"
    file=$file.raw
  else
    rm -f "$file.part"
    say "nothing to salvage on $(hostname)"
    return
  fi
  say "salvaged $file"
}

receive() {
  local name digest uid
  tools
  rm -rf "$home/set.new"
  mkdir "$home/set.new"
  tar --directory "$home/set.new" --extract --gzip --file - || die "what was received is no copy: not a tar.gz"
  [[ -s $home/set.new/set.json ]] || die "what was received is no copy: no set.json"
  while IFS=$'\t' read -r name digest; do
    [[ $(digest_of "$home/set.new/$name") == "$digest" ]] || die "the copy is damaged: $name is not what was packed"
  done < <(jq --raw-output '.files | to_entries[] | [.key, .value] | @tsv' "$home/set.new/set.json")
  etcdutl snapshot status "$home/set.new/snapshot.db" >/dev/null || die "the copy's snapshot is damaged"
  uid=$(jq --raw-output .uid "$home/set.new/set.json")
  [[ -z $(known_uid) || $(known_uid) == "$uid" ]] || die "the copy is of cluster $uid, and $(hostname) is of $(known_uid)"
  [[ $(digest_of /etc/kubernetes/pki/ca.crt) == "$(digest_of "$home/set.new/pki/ca.crt")" ]] ||
    die "the copy's CA is not the one of $(hostname): its kubelets and users would not be let in"
  rm -rf "$home/set"
  mv "$home/set.new" "$home/set"
  say "received the copy of $(jq --raw-output '.takenAt | todate' "$home/set/set.json"), revision $(jq .snapshot.revision "$home/set/set.json")"
}

apply() {
  local uid
  tools
  stop
  [[ -e $home/restored ]] || put_data
  put_encryption
  start etcd
  wait_until 60 "etcd answers" etcd_revision
  start kube-apiserver
  wait_until 120 "the API server is ready" admin get --raw /readyz
  uid=$(admin get namespace kube-system --output jsonpath='{.metadata.uid}')
  [[ ! -s $home/set/set.json || $uid == "$(jq --raw-output .uid "$home/set/set.json")" ]] || die "the restored cluster has the UID $uid"
  echo "$uid" >"$state/uid"
  # They must list again: what they remember is of a time that no longer was.
  restart_static_pod kube-controller-manager
  restart_static_pod kube-scheduler
  systemctl restart kubelet
  # The set holds every secret of the cluster, and has done its work.
  rm -rf "$home/set" "$home/restored" "$home/manifests"
  say "restored $(hostname): UID $uid; former data: $(find "$data" -maxdepth 1 -name 'member.before-restore-*' -printf '%f ')"
}

stop() {
  local name
  mkdir -p "$home/manifests"
  for name in kube-apiserver etcd; do
    if [[ -e $manifests/$name.yaml ]]; then mv "$manifests/$name.yaml" "$home/manifests/$name.yaml"; fi
  done
  for name in kube-apiserver etcd; do wait_until 90 "$name stopped" stopped "$name"; done
}

start() {
  if [[ -e $home/manifests/$1.yaml ]]; then mv "$home/manifests/$1.yaml" "$manifests/$1.yaml"; fi
}

flag_of() { sed -n "s/^ *- --$1=//p" "$(manifest etcd)" | head -n 1; }

# Revisions never go back for those who watch, and what they know of old ones is compacted: they list again.
put_data() {
  local source name peer size hash=()
  source=$home/set/snapshot.db
  if [[ ! -s $source ]]; then
    source=$(find "$home" -maxdepth 1 -name 'salvaged-*.db*' ! -name '*.part' | sort | tail -n 1)
    [[ -n $source ]] || die "nothing was received and nothing salvaged on $(hostname): what is to be restored?"
    [[ $source != *.raw ]] || hash=(--skip-hash-check)
  fi
  name=$(flag_of name) peer=$(flag_of initial-advertise-peer-urls)
  [[ -n $name && -n $peer ]] || die "$(manifest etcd) has no --name and --initial-advertise-peer-urls"
  size=$(stat --format %s "$source")
  mkdir -p "$data"
  (($(df --output=avail --block-size=1 "$data" | tail -n 1) > 2 * size)) || die "disk full: $data needs $((2 * size)) bytes more"
  # On the same file system, so that it is there whole or not at all.
  rm -rf "$data/restoring"
  etcdutl snapshot restore "$source" "${hash[@]}" --name "$name" --initial-cluster "$name=$peer" --initial-advertise-peer-urls "$peer" \
    --initial-cluster-token "oslo-$(date --utc +%s)" --bump-revision 1000000000 --mark-compacted --data-dir "$data/restoring" >"$home/log" 2>&1 ||
    die "etcdutl snapshot restore: $(tail -n 3 "$home/log")"
  if [[ -d $data/member ]]; then mv "$data/member" "$data/member.before-restore-$(date --utc +%Y%m%dT%H%M%SZ)"; fi
  mv "$data/restoring/member" "$data/member"
  chmod 0700 "$data" "$data/member"
  rm -rf "$data/restoring"
  sync "$data/member"
  date --utc +%FT%TZ >"$home/restored"
  say "data of $source is in place"
}

# Secrets of the snapshot need the keys of that day.
put_encryption() {
  local from=$home/set/encryption/config.yaml
  if [[ ! -s $from ]] || cmp --silent "$from" "$encryption"; then return; fi
  [[ ! -e $encryption ]] || cp --preserve "$encryption" "$encryption.before-restore-$(date --utc +%Y%m%dT%H%M%SZ)"
  install -D -m 0600 "$from" "$encryption.new"
  mv "$encryption.new" "$encryption"
}

main "$@"
