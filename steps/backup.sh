#!/usr/bin/env bash
# Makes one copy of the cluster's state and brings it to every target. A timer's unit runs it; safe to
# kill and to repeat. What it writes for others: status.json and a metrics file, also where it fails.
#
#   backup.sh            one copy
#   backup.sh credential TARGET   takes an S3 target's credential from stdin: key id and secret, a line each
#   backup.sh report     takes a rehearsal's report from stdin, and its signature
set -euo pipefail
shopt -s inherit_errexit
library=${BASH_SOURCE[0]%/*}
# shellcheck source=steps/lib.sh
source "$library/lib.sh"
# shellcheck source=steps/containers.sh
source "$library/containers.sh"
# shellcheck source=steps/etcd-member.sh
source "$library/etcd-member.sh"
# shellcheck source=steps/backup-retention.sh
source "$library/backup-retention.sh"
# shellcheck source=steps/backup-targets.sh
source "$library/backup-targets.sh"
# shellcheck source=steps/backup-report.sh
source "$library/backup-report.sh"
# shellcheck source=steps/backup-status.sh
source "$library/backup-status.sh"
umask 077
home=$state/backup
settings=/etc/oslo-cluster/backup.json
recipients=/etc/oslo-cluster/backup-recipients
work=$home/work
copies=$home/copies
encryption=/etc/kubernetes/encryption/config.yaml
failures=()

main() {
  mkdir -p "$home" "$copies" "$home/sent" "$home/credentials"
  case ${1:-} in
    credential) credential "$2" ;;
    report) report ;;
    *) back_up ;;
  esac
}

back_up() {
  # A moment: who drops an encryption key waits for copies by the same lock.
  only_one "$home/lock" 5 "another run is making a copy on $(hostname): run again when it has ended"
  node=$(setting .node)
  started=$(date --utc +%s)
  trap 'finish "$?"' EXIT
  trap 'exit 143' TERM
  # What a run that was killed has left.
  rm -rf "$work" "$copies"/*.part
  mkdir -p "$work/set"
  check_clock
  etcd_tools "$(image_of "$etcd_manifest")"
  uid=$(cluster_uid)
  snapshot
  collect
  pack
  retain_here
  deliver_all
  ((${#failures[@]} == 0)) || exit 1
}

setting() { jq --raw-output "$1" "$settings"; }

# Copies are ordered by their names, which tell the time: a clock that went back would order them wrongly.
check_clock() {
  local newest
  newest=$(names_here | tail -n 1)
  clock_is_behind=
  if [[ -n $newest && ${newest%%-*} > $(date --utc +%Y%m%dT%H%M%SZ) ]]; then
    clock_is_behind=yes
    fail "the clock says $(date --utc +%FT%TZ), before the newest copy (${newest%%-*}): correct it, or remove the copies of a time to come from $copies; until then nothing is deleted"
  fi
}

# A failure that does not keep the rest from being done.
fail() {
  echo "error: $*" >&2
  failures+=("$*")
}

# The member must know all that was written before: a member that has lost its cluster would hold old data.
snapshot() {
  local size free before file=$work/set/snapshot.db
  canary
  before=$(etcd_revision) || die "etcd on $(hostname) cannot read what its cluster agreed on (quorum lost, or this member is cut off): a copy of it would be old"
  size=$(etcd endpoint status --write-out json | jq '.[0].Status.dbSize')
  free=$(df --output=avail --block-size=1 "$home" | tail -n 1)
  # The snapshot, the packed set beside it, and room that etcd itself needs on this disk.
  ((free > 3 * size + 67108864)) || die "disk full: $free bytes free for $home, $((3 * size + 67108864)) needed"
  ETCD_TIMEOUT=600s etcd snapshot save "$file.part" >/dev/null 2>"$work/log" || die "etcdctl snapshot save: $(tail -n 2 "$work/log")"
  taken=$(date --utc +%s)
  etcdutl snapshot status "$file.part" --write-out json >"$work/status.json" 2>"$work/log" ||
    die "etcdutl snapshot status: $(tail -n 2 "$work/log")"
  revision=$(jq .revision "$work/status.json")
  ((revision >= before)) || die "the snapshot is at revision $revision, older than $before which was agreed before it"
  mv "$file.part" "$file"
}

# A Secret of which the set knows the digest: a rehearsal must decrypt it.
canary() {
  local name=oslo-cluster-backup-$node value
  canary_digest=
  value=$(date --utc +%FT%TZ)-$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  # By a file: a command's arguments can be read by everyone.
  printf '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"%s","namespace":"kube-system"},"stringData":{"value":"%s"}}' "$name" "$value" >"$work/canary.json"
  if ask_api --request-timeout 10s apply --server-side --force-conflicts --field-manager oslo-cluster-backup --filename "$work/canary.json" >/dev/null 2>"$work/log"; then
    canary_digest=$(printf %s "$value" | sha256sum | cut -d' ' -f1)
  else
    fail "the canary Secret was not written ($(tail -n 1 "$work/log")): a copy was made all the same"
  fi
}

# What a snapshot is worth nothing without.
collect() {
  local set=$work/set
  mkdir -p "$set/pki/etcd" "$set/encryption"
  cp --preserve=mode,timestamps /etc/kubernetes/pki/{ca,front-proxy-ca}.{crt,key} /etc/kubernetes/pki/sa.{key,pub} "$set/pki/"
  cp --preserve=mode,timestamps "$etcd_pki"/ca.{crt,key} "$set/pki/etcd/"
  cp "$encryption" "$set/encryption/config.yaml"
  # Former keys, which older data needs.
  [[ ! -d /etc/kubernetes/encryption-keys ]] || cp -r /etc/kubernetes/encryption-keys "$set/encryption/former"
  admin --request-timeout 10s --namespace kube-system get configmap kubeadm-config --output yaml >"$set/kubeadm-config.yaml" 2>/dev/null ||
    cp /etc/oslo-cluster/kubeadm-init.yaml "$set/kubeadm-config.yaml"
  counts >"$work/counts.json"
  files >"$work/files.json"
  jq --null-input \
    --arg cluster "$(setting .cluster)" --arg uid "$uid" --arg node "$node" --argjson takenAt "$taken" \
    --arg etcd "$(image_of "$etcd_manifest")" --arg apiServer "$(image_of /etc/kubernetes/manifests/kube-apiserver.yaml)" \
    --arg canary "$canary_digest" --slurpfile status "$work/status.json" --slurpfile counts "$work/counts.json" \
    --slurpfile files "$work/files.json" --arg keys "$(sed -n 's/^ *- name: *//p' "$encryption" | paste -sd' ')" '{
      format: 1, $cluster, $uid, $node, $takenAt, images: {$etcd, kubeApiserver: $apiServer},
      snapshot: $status[0], counts: $counts[0], encryptionKeys: ($keys | split(" ")),
      canary: (if $canary == "" then null else {namespace: "kube-system", name: "oslo-cluster-backup-\($node)", sha256: $canary} end),
      files: $files[0]
    }' >"$set/set.json"
  # Whoever may write at a target can encrypt to the recipients too: a copy is this cluster's by this alone.
  openssl dgst -sha256 -sign /etc/kubernetes/pki/ca.key -out "$set/set.json.sig" "$set/set.json"
}

# How many keys of each kind the snapshot must have, by its revision.
counts() {
  ETCD_TIMEOUT=120s etcd get /registry/ --prefix --keys-only --rev "$revision" |
    awk -F/ 'NF > 2 { count[$3]++ } END { for (kind in count) print kind, count[kind] }' |
    jq --raw-input --slurp '[split("\n")[] | select(. != "") | split(" ") | {key: .[0], value: (.[1] | tonumber)}] | from_entries'
}

files() {
  (cd "$work/set" && find . -type f ! -name set.json -printf '%P\0' | sort --zero-terminated | xargs --null sha256sum) |
    jq --raw-input --slurp '[split("\n")[] | select(. != "") | {key: .[66:], value: .[:64]}] | from_entries'
}

# Encrypted to public keys alone: nothing here can read it again.
pack() {
  name=$(date --utc --date "@$taken" +%Y%m%dT%H%M%SZ)-$node-r$revision.tar.gz.age
  tar --directory "$work/set" --create --file - . | gzip -1 |
    age --encrypt --recipients-file "$recipients" --output "$copies/$name.part"
  sync "$copies/$name.part"
  mv "$copies/$name.part" "$copies/$name"
  rm -rf "$work/set"
}

# Also for finish: why the run ends.
die() {
  echo "error: $*" >&2
  failures+=("$*")
  exit 1
}

main "$@"
