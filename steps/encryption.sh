#!/usr/bin/env bash
# One control plane's part of a rotation of the key that encrypts Secrets in etcd. Its state is read from the node each
# time, so that a rotation that was killed anywhere is taken up by the next one. Safe to repeat and to kill.
#
#   encryption.sh state          the keys' names, and whether the API server has loaded them: JSON without a secret
#   encryption.sh census         how many objects in etcd each key encrypts: JSON
#   encryption.sh make NAME      a new key behind those in use
#   encryption.sh give NAME      prints a key, into a pipe to another control plane
#   encryption.sh receive NAME   takes it from stdin, behind those in use
#   encryption.sh first NAME     encrypts with this key from now on
#   encryption.sh loaded         waits until this node's API server has loaded the file as it is
#   encryption.sh rewrite NAME   has what is encrypted otherwise written again
#   encryption.sh drop NAME      keeps this key alone in use; the others go to the archive
set -euo pipefail
shopt -s inherit_errexit
library=${BASH_SOURCE[0]%/*}
# shellcheck source=steps/lib.sh
source "$library/lib.sh"
# shellcheck source=steps/etcd.sh
source "$library/etcd.sh"
# shellcheck source=steps/static-pods.sh
source "$library/static-pods.sh"
umask 077
encryption=/etc/kubernetes/encryption/config.yaml
# Not where the API server's container looks. For root alone, and handed to control planes that join.
archive=/etc/kubernetes/encryption-keys
template=/etc/oslo-cluster/encryption-template.yaml
manifest=/etc/kubernetes/manifests/kube-apiserver.yaml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

main() {
  local command=${1:-} name=${2:-}
  [[ -s $encryption && -s $manifest ]] || die "$(hostname) has no API server of this program yet; run \`pulumi up\` first"
  cmp --silent <(keys | render) "$encryption" ||
    die "$encryption on $(hostname) was changed by hand: it is not $template with its keys; put that back first"
  case $command in
    state | census | loaded) "$command" ;;
    make | give | receive | first | rewrite | drop)
      [[ $name =~ ^key[0-9]+$ ]] || die "not a key's name: '$name'"
      mkdir -p /run/oslo-cluster
      only_one /run/oslo-cluster/encryption.lock 30 "another rotation is running on $(hostname)"
      "$command" "$name"
      ;;
    *) die "usage: encryption.sh state|census|loaded, or make|give|receive|first|rewrite|drop NAME" ;;
  esac
}

# `NAME SECRET` of each key, in their order.
keys() { awk '$2 == "name:" { name = $3 } $1 == "secret:" { print name, $2 }' "$encryption"; }

# The template with the keys of stdin.
render() {
  awk 'NR == FNR { name[NR] = $1; secret[NR] = $2; count = NR; next }
    $2 == "name:" {
      indent = substr($0, 1, index($0, "-") - 1)
      for (i = 1; i <= count; i++) print indent "- name: " name[i] "\n" indent "  secret: " secret[i]
      next
    }
    $1 != "secret:"' - "$template"
}

# Whole or not at all.
put() {
  render >"$encryption.new"
  sync "$encryption.new"
  mv "$encryption.new" "$encryption"
}

digest() { sha256sum <"$encryption" | cut -d' ' -f1; }

# This node's own API server, and no other's.
server() {
  local address
  address=$(manifest_flag advertise-address "$manifest")
  [[ $address != *:* ]] || address="[$address]"
  echo "https://$address:$(manifest_flag secure-port "$manifest")"
}

own() { admin --server "$(server)" --request-timeout 30s "$@"; }

# The digest of what the API server itself says that it has loaded.
loaded_digest() {
  local part
  for part in certificate key; do
    [[ -s $scratch/$part ]] || sed -n "s/^ *client-$part-data: //p" "$kubeconfig" | base64 --decode >"$scratch/$part"
  done
  # kubectl would take a second of a processor, each time.
  curl --fail --silent --show-error --max-time 20 --cacert /etc/kubernetes/pki/ca.crt --cert "$scratch/certificate" \
    --key "$scratch/key" "$(server)/metrics" 2>"$scratch/said" |
    sed -n 's/^apiserver_encryption_config_controller_last_config_info{.*,hash="sha256:\([0-9a-f]*\)".*/\1/p'
}

state() {
  local reload=false loaded members
  [[ $(manifest_flag encryption-provider-config-automatic-reload "$manifest") != true ]] || reload=true
  loaded=$(loaded_digest || true)
  members=$(etcd_members) || die "etcd on $(hostname) does not answer, or has no quorum"
  keys | cut -d' ' -f1 | jq --raw-input --slurp --compact-output \
    --arg digest "$(digest)" --arg loaded "$loaded" --argjson reload "$reload" \
    --arg members "$(cut -f2 <<<"$members")" --arg kept "$(kept)" '
      def lines: split("\n") | map(select(. != ""));
      {keys: lines, loaded: ($digest == $loaded), reload: $reload, members: ($members | lines), kept: ($kept | lines)}'
}

# What the archive has.
kept() { [[ ! -d $archive ]] || find "$archive" -name '*.yaml' -printf '%f\n' | sort; }

is_loaded() { [[ $(loaded_digest) == "$(digest)" ]]; }

# The API server looks each minute, and to ask it for its metrics costs it something.
loaded() {
  local deadline=$((SECONDS + 180))
  until is_loaded; do
    ((SECONDS < deadline)) || die "the API server of $(hostname) has not loaded $encryption within 180 s; see its log $(cat "$scratch/said")"
    sleep 2
  done
}

make() {
  local secret
  if has "$1"; then return; fi
  secret=$(head -c 32 /dev/urandom | base64 --wrap=0)
  append "$1" "$secret"
}

has() { keys | cut -d' ' -f1 | grep -qxF "$1"; }

# By the shell itself: a command's arguments can be read by everyone.
append() {
  local present
  present=$(keys)
  printf '%s\n%s %s\n' "$present" "$1" "$2" | put
}

give() {
  [[ ! -t 1 ]] || die "standard output is a terminal: a key is written into a pipe only"
  has "$1" || die "$(hostname) has no key $1"
  keys | sed -n "s/^$1 //p"
}

receive() {
  local secret
  IFS= read -r secret || die "no key was received"
  [[ $secret =~ ^[A-Za-z0-9+/]{43}=$ ]] || die "what was received is not a key of 32 bytes"
  if has "$1"; then
    [[ $(give "$1" | cat) == "$secret" ]] || die "$(hostname) has another key of the name $1: two rotations were begun; see $encryption"
    return
  fi
  append "$1" "$secret"
}

first() {
  local present
  has "$1" || die "$(hostname) has no key $1"
  if [[ $(keys | head -n 1) == "$1 "* ]]; then return; fi
  is_loaded || die "the API server of $(hostname) has not loaded $1 yet"
  present=$(keys)
  { grep "^$1 " <<<"$present" && grep -v "^$1 " <<<"$present"; } | put
}

# What the configuration names; etcd has it by these names.
resources() {
  local all
  all=$(awk '$2 == "resources:" { on = 1; next } $1 == "providers:" { on = 0 } on && $1 == "-" { print $2 }' "$encryption")
  [[ -n $all && $all =~ ^[a-z$'\n']+$ ]] || die "$encryption names other resources than a rotation can write again: $all"
  echo "$all"
}

# `KEY<tab>PREFIX` of each object of a resource, raw from etcd: what encrypts it, or plain.
raw() {
  local from end answer
  from=$(printf '/registry/%s/' "$1" | base64 --wrap=0)
  end=$(printf '/registry/%s0' "$1" | base64 --wrap=0) # 0 comes after /
  while :; do
    answer=$(etcd kv/range "{\"key\":\"$from\",\"range_end\":\"$end\",\"limit\":50}")
    # 120 characters of base64: whole bytes, and all of the prefix.
    jq --raw-output '.kvs[]? | [(.key | @base64d),
      (.value[:120] | @base64d | capture("^k8s:enc:(?<it>secretbox:v1:[^:]+):").it // "plain")] | @tsv' <<<"$answer"
    [[ $(jq '.more // false' <<<"$answer") == true ]] || break
    from=$(jq --raw-output '(.kvs[-1].key | @base64d) + "\u0000" | @base64' <<<"$answer")
  done
}

census() {
  local resource all=''
  for resource in $(resources); do all+=$(raw "$resource" | cut -f2 && echo .); done
  tr -d . <<<"$all" | jq --raw-input --slurp --compact-output \
    'split("\n") | map(select(. != "") | ltrimstr("secretbox:v1:")) | group_by(.) | map({key: .[0], value: length}) | from_entries'
}

# Keys in etcd of what another key encrypts, or none.
stale() { raw "$1" | awk -F '\t' -v wanted="secretbox:v1:$2" '$2 != wanted { print $1 }'; }

rewrite() {
  local resource deadline=$((SECONDS + 1800)) left
  [[ $(keys | head -n 1) == "$1 "* ]] || die "$(hostname) does not encrypt with $1 yet"
  for resource in $(resources); do
    left=$(stale "$resource" "$1")
    while [[ -n $left ]]; do
      say "$(wc -l <<<"$left") $resource to write again"
      write_again "$resource" "$left"
      left=$(stale "$resource" "$1")
      [[ -n $left ]] || break
      ((SECONDS < deadline)) ||
        die "$(wc -l <<<"$left") $resource were not written again, ${left%%$'\n'*} first: $(tail -n 1 "$scratch/said")"
      sleep 0.3 # who writes to them as well has had the better of us
    done
  done
}

# As they are: the API server writes what is encrypted with a key that is not the first. Conflicts are tried again.
write_again() {
  local namespace names
  while read -r namespace names; do
    # shellcheck disable=SC2086 # a name each
    own --namespace "$namespace" get "$1" $names --ignore-not-found --output json |
      own replace --filename - >/dev/null 2>"$scratch/said" || true
  done < <(awk -F/ '{ count[$4]++; line[$4] = line[$4] " " $5 }
      count[$4] == 50 { print $4 line[$4]; count[$4] = 0; line[$4] = "" }
      END { for (one in line) if (line[one] != "") print one line[one] }' <<<"$2")
}

drop() {
  local resource left file
  [[ $(keys | head -n 1) == "$1 "* ]] || die "$(hostname) does not encrypt with $1 yet"
  if [[ $(keys | wc -l) == 1 ]]; then return; fi
  is_loaded || die "the API server of $(hostname) has not loaded $encryption yet"
  for resource in $(resources); do
    left=$(stale "$resource" "$1")
    [[ -z $left ]] || die "$(wc -l <<<"$left") $resource need another key than $1: write them again first"
  done
  # A copy that is being made has its snapshot already, and takes this file with it.
  mkdir -p "$state/backup" "$archive"
  only_one "$state/backup/lock" 900 "a backup has been running for 15 minutes on $(hostname)"
  file=$archive/$(keys | cut -d' ' -f1 | paste -sd-)-$(digest | cut -c1-8).yaml
  cp "$encryption" "$file.new"
  sync "$file.new"
  mv "$file.new" "$file"
  keys | head -n 1 >"$scratch/only"
  put <"$scratch/only"
}

main "$@"
