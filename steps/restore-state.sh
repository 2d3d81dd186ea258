# shellcheck shell=bash
# What a control plane holds, for a restore that decides by it. It changes nothing. Sourced by restore.sh.

# JSON, one line. What does not run is read from its files.
tell_state() {
  local made=false member=false here=false quorum=false ready=false uid='' revision=0 count=0 answer
  if [[ -e $manifests/etcd.yaml || -e $home/manifests/etcd.yaml ]]; then made=true; fi
  if [[ -f $state/cluster ]]; then member=true; fi
  if [[ -d $data/member ]]; then here=true; fi
  if [[ -f $state/claim ]] && command -v kubeadm >/dev/null && systemctl is-active --quiet containerd; then ready=true; fi
  if [[ $made == true ]]; then
    tools
    export ETCD_TIMEOUT=5s
    if etcd_revision >/dev/null 2>&1; then quorum=true; fi
    if answer=$(etcd endpoint status --write-out json 2>/dev/null); then
      revision=$(jq '.[0].Status.header.revision' <<<"$answer")
      uid=$(uid_in_etcd)
      count=$(etcd member list --write-out json 2>/dev/null | jq '.members | length') || count=0
    elif salvaged; then
      revision=$(jq .revision "$home/salvaged.json")
      uid=$(jq --raw-output .uid "$home/salvaged.json")
    elif [[ -f $data/member/snap/db ]] && stopped etcd >/dev/null; then
      revision=$(etcdutl snapshot status "$data/member/snap/db" --write-out json 2>/dev/null | jq .revision) || revision=0
      uid=$(uid_in_file "$data/member/snap/db")
    fi
  fi
  jq --null-input --compact-output --argjson made "$made" --argjson member "$member" --argjson prepared "$ready" \
    --argjson data "$here" --argjson quorum "$quorum" --arg uid "$uid" --arg knownUid "$(known_uid)" \
    --argjson revision "${revision:-0}" --arg ca "$(digest_of /etc/kubernetes/pki/ca.crt)" --arg phase "$(phase)" \
    --argjson members "${count:-0}" \
    '{$made, $member, $prepared, $data, $quorum, $uid, $knownUid, $revision, $ca, $phase, $members}'
}

# What is here was saved, and nothing was written since.
salvaged() { [[ -s $home/salvaged.json && ! $data/member/snap/db -nt $home/salvaged.json ]]; }

# What a restore has come to here: none, stopped (the manifests are out), restored (the data is in), seeded (a
# new machine has what it begins with), serving (it answers, and the others are to join).
phase() {
  if [[ -e $home/serving ]]; then
    echo serving
  elif [[ -e $home/seeded ]]; then
    echo seeded
  elif [[ -e $home/restored ]]; then
    echo restored
  elif [[ -e $home/manifests/etcd.yaml && ! -e $manifests/etcd.yaml ]]; then
    echo stopped
  else
    echo none
  fi
}

digest_of() { [[ ! -e $1 ]] || sha256sum <"$1" | cut -d' ' -f1; }

# The UID of kube-system as this member has it, with or without quorum.
uid_in_etcd() {
  etcd get /registry/namespaces/kube-system --consistency s --print-value-only 2>/dev/null |
    grep --text --only-matching --extended-regexp '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1 || true
}

# The same from the database of an etcd that does not run.
uid_in_file() {
  perl -0777 -ne 'print "$1\n" if m{/registry/namespaces/kube-system.{0,300}?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})}s' "$1"
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
