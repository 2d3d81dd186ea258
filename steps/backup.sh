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
  exec 9>"$home/lock"
  # A moment: who drops an encryption key waits for copies by the same lock.
  flock --timeout 5 9 || die "another run is making a copy"
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
  # By stdin: a command's arguments can be read by everyone.
  if printf '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"%s","namespace":"kube-system"},"stringData":{"value":"%s"}}' "$name" "$value" |
    admin --request-timeout 10s apply --server-side --force-conflicts --field-manager oslo-cluster-backup --filename - >/dev/null 2>"$work/log"; then
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

# Which of the names on stdin the settings keep: the newest ones, and the newest of each day and week.
kept() {
  jq --raw-input --slurp --raw-output --argjson keep "$(setting .retention)" '
    def newest_of(period; count): group_by(period) | map(max) | sort | reverse | .[:count];
    [split("\n")[] | select(. != "")] | sort | reverse
    | [.[:$keep.recent], newest_of(.[:8]; $keep.daily),
       newest_of(.[:8] | strptime("%Y%m%d") | mktime | (. / 86400 + 3) / 7 | floor; $keep.weekly)]
    | add | unique[]'
}

# The names that are not kept.
dropped() { comm -23 <(sed '/^$/d' <<<"$1" | sort) <(kept <<<"$1" | sort); }

# Copies that this node has made, of any cluster's names: nothing else is ever deleted.
own_names() { grep --extended-regexp "^[0-9]{8}T[0-9]{6}Z-$node-r[0-9]+\.tar\.gz\.age$" || true; }

names_here() { find "$copies" -type f -printf '%f\n' | own_names | sort; }

retain_here() {
  local names
  [[ -z $clock_is_behind ]] || return 0
  names=$(names_here)
  dropped "$names" | while IFS= read -r old; do rm -f "${copies:?}/$old"; done
}

# Each target by itself: one that is away holds up no other.
deliver_all() {
  local target reason
  : >"$work/targets"
  while IFS= read -r target; do
    # A process of its own, so that errexit holds in it.
    deliver "$target" >/dev/null 2>"$work/reason" 9>&- &
    if wait "$!"; then
      reason=
    else
      reason=$(sed 's/^error: //' "$work/reason" | tail -n 1)
      fail "target $(jq --raw-output .name <<<"$target"): ${reason:=no reason given}"
    fi
    jq --compact-output --arg error "$reason" --argjson now "$(date --utc +%s)" --argjson copies "$(wc -l <"$(record_of "$target")")" \
      '{name, error: (if $error == "" then null else $error end), at: $now, $copies}' <<<"$target" >>"$work/targets"
  done < <(jq --compact-output '.targets[]' "$settings")
}

# What a target has taken and is to hold, `SIZE NAME` a line.
record_of() {
  local record
  record=$home/sent/$(jq --raw-output .name <<<"$1")-$uid
  [[ -f $record ]] || : >"$record"
  echo "$record"
}

# Brings every copy that is kept here and not there. What was sent is remembered, so that a target that
# loses data is noticed at the next run at the latest.
deliver() {
  local target=$1 remote record listing lost old
  remote=$(jq --raw-output '"\(.name):\(.path)/\($cluster)/\($uid)"' --arg cluster "$(setting .cluster)" --arg uid "$uid" <<<"$target")
  record=$(record_of "$target")
  listing=$(list "$remote")
  lost=$(missing "$record" "$listing")
  send_missing "$target" "$remote" "$record" "$listing"
  listing=$(list "$remote")
  lost+=$'\n'$(missing "$record" "$listing")
  if [[ $(jq .mayDelete <<<"$target") == true && -z $clock_is_behind ]]; then
    dropped "$(cut -s -d' ' -f2 <<<"$listing" | own_names)" | while IFS= read -r old; do
      transfer deletefile "$remote/$old" || die "$old cannot be deleted: $(tail -n 1 "$work/transfer")"
    done
  fi
  dropped "$(cut -s -d' ' -f2 "$record")" | while IFS= read -r old; do sed -i "/ $old\$/d" "$record"; done
  if [[ $(jq .mayRead <<<"$target") == true ]]; then fetch_report "$remote"; fi
  lost=$(cut -s -d' ' -f2 <<<"$lost" | sort --unique | paste -sd' ')
  [[ -z $lost ]] || die "has lost or changed what it had taken: $lost; what is still here was sent again"
}

# What a record has and a listing has not. Names of a time to come are of a clock that was wrong: whoever
# put it right may have removed them.
missing() { comm -23 <(awk -v now="$(date --utc +%Y%m%dT%H%M%SZ)" '$2 < now' "$1" | sort) <(sort <<<"$2"); }

# `SIZE NAME` of what is there.
list() {
  local status=0 listing
  listing=$(transfer lsf --format sp --separator ' ' --files-only "$1") || status=$?
  # 3: the directory is not there yet.
  [[ $status == 0 || $status == 3 ]] || die "cannot be listed: $(tail -n 1 "$work/transfer")"
  printf '%s' "$listing"
}

send_missing() {
  local target=$1 remote=$2 record=$3 listing=$4 name size digest
  while IFS= read -r name; do
    size=$(stat --format %s "$copies/$name")
    if ! grep --quiet --line-regexp --fixed-strings "$size $name" <<<"$listing"; then
      transfer copyto "$copies/$name" "$remote/$name" || die "$name was not taken: $(tail -n 1 "$work/transfer")"
      if [[ $(jq .mayRead <<<"$target") == true ]]; then
        digest=$(transfer cat "$remote/$name" | sha256sum) || die "$name cannot be read back: $(tail -n 1 "$work/transfer")"
        [[ $digest == "$(sha256sum <"$copies/$name")" ]] || die "$name was taken, and what is read back is something else"
      fi
    fi
    grep --quiet --line-regexp --fixed-strings "$size $name" "$record" || echo "$size $name" >>"$record"
  done < <(names_here)
}

# rclone, whose log names no credential.
transfer() {
  rclone --config /etc/oslo-cluster/rclone.conf --contimeout 10s --timeout 60s --retries 2 --low-level-retries 2 \
    --log-file "$work/transfer" --log-level ERROR --s3-no-check-bucket "$@"
}

# The newest rehearsal's report and its signature, for `verify`.
fetch_report() {
  local part
  for part in report.json report.json.sig; do
    transfer cat "$1/rehearsal/$part" >"$work/$part" 2>/dev/null || return 0
  done
  keep_report "$work"
}

# Of several targets' reports the newest counts. Who has signed it is judged by who reads it.
keep_report() {
  local kept=$home/rehearsal
  [[ -s $1/report.json && -s $1/report.json.sig ]] || return 0
  if [[ -s $kept/report.json ]] &&
    ! jq --exit-status --slurpfile kept "$kept/report.json" '.rehearsedAt >= $kept[0].rehearsedAt' "$1/report.json" >/dev/null; then
    return 0
  fi
  rm -rf "$kept.new"
  mkdir -p "$kept.new"
  mv "$1/report.json" "$1/report.json.sig" "$kept.new/"
  rm -rf "$kept"
  mv "$kept.new" "$kept"
}

# From stdin, where this node may not read at the target: the report's line, and its signature.
report() {
  local given line
  given=$(mktemp --directory "$home/report.XXXXXX")
  trap 'rm -rf "$home"/report.??????' EXIT
  IFS= read -r line || die "a line with the report is wanted, and its signature"
  printf '%s\n' "$line" >"$given/report.json"
  cat >"$given/report.json.sig"
  jq --exit-status .rehearsedAt "$given/report.json" >/dev/null 2>&1 || die "what was received is not a report"
  keep_report "$given"
}

# What `verify` and metrics read, whatever has become of the run.
finish() {
  local code=$1 error
  trap - EXIT
  error=$(printf '%s\n' "${failures[@]}" | paste -sd';')
  [[ $code == 0 || -n $error ]] || error="ended with $code; see journalctl -u oslo-cluster-backup"
  [[ -f $home/status.json ]] || echo '{}' >"$home/status.json"
  [[ -f $work/targets ]] || : >"$work/targets"
  jq --arg error "$error" --argjson now "$(date --utc +%s)" --arg started "$started" --arg name "${name:-}" \
    --arg taken "${taken:-}" --arg revision "${revision:-}" --slurpfile targets "$work/targets" \
    --argjson bytes "$(stat --format %s "$copies/${name:-none}" 2>/dev/null || echo 0)" \
    --argjson kept "$(names_here | wc -l)" '
      (.targets // [] | map({key: .name, value: .lastSuccess}) | from_entries) as $before
      | .error = (if $error == "" then null else $error end)
      | .lastRun = $now | .seconds = $now - ($started | tonumber) | .copiesHere = $kept
      | if $name == "" then . else .copy = {$name, bytes: $bytes, takenAt: ($taken | tonumber), revision: ($revision | tonumber)} end
      | if $targets == [] then . else .targets = ($targets | map(.lastSuccess = if .error == null then .at else $before[.name] end | del(.at))) end
      | if $error == "" then .lastSuccess = $now else . end' "$home/status.json" >"$home/status.new"
  mv "$home/status.new" "$home/status.json"
  metrics
  rm -rf "$work"
  exit "$code"
}

metrics() {
  local file
  file=$(setting .metricsFile)
  mkdir -p "${file%/*}"
  jq --raw-output '
    "# TYPE oslo_cluster_backup_last_success_timestamp_seconds gauge",
    "oslo_cluster_backup_last_success_timestamp_seconds \(.lastSuccess // 0)",
    "# TYPE oslo_cluster_backup_failed gauge",
    "oslo_cluster_backup_failed \(if .error == null then 0 else 1 end)",
    "# TYPE oslo_cluster_backup_bytes gauge",
    "oslo_cluster_backup_bytes \(.copy.bytes // 0)",
    "# TYPE oslo_cluster_backup_seconds gauge",
    "oslo_cluster_backup_seconds \(.seconds)",
    "# TYPE oslo_cluster_backup_target_last_success_timestamp_seconds gauge",
    (.targets // [] | .[] | "oslo_cluster_backup_target_last_success_timestamp_seconds{target=\"\(.name)\"} \(.lastSuccess // 0)")
  ' "$home/status.json" >"$file.new"
  chmod 0644 "$file.new"
  mv "$file.new" "$file"
}

# From stdin, so that it is in no argument and in no state.
credential() {
  local target=$1 id secret
  [[ $(jq --raw-output --arg name "$target" '.targets[] | select(.name == $name) | .type' "$settings") == s3 ]] ||
    die "no S3 target $target; SFTP targets take the key that this node made"
  if ! IFS= read -r id || ! IFS= read -r secret; then die "two lines are wanted: the key's id, and its secret"; fi
  printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$id" "$secret" >"$home/credentials/$target.new"
  mv "$home/credentials/$target.new" "$home/credentials/$target"
}

# Also for finish: why the run ends.
die() {
  echo "error: $*" >&2
  failures+=("$*")
  exit 1
}

main "$@"
