# shellcheck shell=bash
# Brings copies to targets, and finds out what a target has lost. Sourced by backup.sh.

# Each target by itself: one that is away holds up no other.
deliver_all() {
  local target reason
  : >"$work/targets"
  while IFS= read -r target; do
    # A process of its own, so that errexit holds in it.
    deliver "$target" >/dev/null 2>"$work/reason" {lock}>&- &
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
  [[ -z $lost ]] || die "has lost or changed copies: $lost; those that are still here were sent again"
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
      transfer copyto "$copies/$name" "$remote/$name" || die "$name cannot be written: $(tail -n 1 "$work/transfer")"
      if [[ $(jq .mayRead <<<"$target") == true ]]; then
        digest=$(transfer cat "$remote/$name" | sha256sum) || die "$name cannot be read back: $(tail -n 1 "$work/transfer")"
        [[ $digest == "$(sha256sum <"$copies/$name")" ]] || die "$name was written, and other content is read back"
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

# From stdin, so that it is in no argument and in no state.
credential() {
  local target=$1 id secret
  [[ $(jq --raw-output --arg name "$target" '.targets[] | select(.name == $name) | .type' "$settings") == s3 ]] ||
    die "no S3 target $target; SFTP targets take the key that this node made"
  if ! IFS= read -r id || ! IFS= read -r secret; then die "standard input: not two lines; write the key's id on the first, and its secret on the second"; fi
  printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$id" "$secret" >"$home/credentials/$target.new"
  mv "$home/credentials/$target.new" "$home/credentials/$target"
}
