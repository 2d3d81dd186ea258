# shellcheck shell=bash
# Saves what etcd's data here hold, with or without quorum, and from an etcd that ended. Sourced by restore.sh.

salvage() {
  local file revision uid
  tools
  file=$home/salvaged-$(now).db
  rm -rf "$home"/salvaged-*.part*
  wait_until 60 "etcd gives a snapshot, or has ended" gives_or_ended "$file.part"
  if [[ -s $file.part ]]; then
    uid=$(ETCD_TIMEOUT=5s uid_in_etcd)
  elif salvaged; then
    say "saved before as $(jq --raw-output .file "$home/salvaged.json")"
    return
  elif [[ ! -f $data/member/snap/db ]]; then
    say "nothing to salvage"
    return
  else
    replay "$file.part"
    if [[ ! -s $file.part ]]; then
      say "etcd does not start with this data: its database is taken alone, without the last writes of its log"
      file=$file.raw
      copy_of_data snap/db "$file.part"
      uid=$(uid_in_file "$file.part")
    fi
  fi
  revision=$(etcdutl snapshot status "$file.part" --write-out json | jq .revision)
  mv "$file.part" "$file"
  jq --null-input --arg file "$file" --arg uid "$uid" --argjson revision "$revision" '{$file, $uid, $revision}' >"$home/salvaged.new"
  mv "$home/salvaged.new" "$home/salvaged.json"
  say "saved as $file, revision $revision"
}

gives_or_ended() {
  rm -f "$1"
  if stopped etcd; then return; fi
  ETCD_TIMEOUT=120s etcd snapshot save "$1"
}

# An etcd that was killed has writes in its log that its database lacks: an etcd over a copy reads them. One of
# several members finds no leader so; it begins again with what its log has as committed.
replay() {
  local copy=$home/replay forced size
  # shellcheck disable=SC2034 # of etcd, in etcd-member.sh
  local etcd_endpoint=(--endpoints "unix://$copy/client")
  rm -rf "$copy"
  size=$(du --summarize --block-size=1 "$data/member" | cut -f1)
  (($(df --output=avail --block-size=1 "$home" | tail -n 1) > 2 * size)) ||
    die "disk full: $home needs $((2 * size)) bytes more, for a copy of etcd's data and its snapshot"
  for forced in false true; do
    mkdir "$copy"
    copy_of_data . "$copy/member"
    # In a network of its own: it asks no other member.
    start_private_etcd "$copy" unshare --net -- etcd --data-dir "$copy" --force-new-cluster=$forced --advertise-client-urls http://localhost:2379
    if (wait_until 30 "a leader" leads_or_ended) 2>/dev/null && etcd snapshot save "$1" >/dev/null 2>&1; then
      uid=$(uid_in_etcd)
    fi
    end_private_etcd || true
    rm -rf "$copy" "$1.part"
    if [[ -s $1 ]]; then break; fi
  done
}

# A kubelet may have started it again meanwhile, and what is written to while it is copied is no copy.
copy_of_data() {
  cp --recursive --no-target-directory "$data/member/$1" "$2"
  stopped etcd >/dev/null || die "etcd has started again on $(hostname): run the same command again"
}

leads_or_ended() { private_etcd_ended || ETCD_TIMEOUT=2s etcd_revision; }
