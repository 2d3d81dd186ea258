#!/usr/bin/env bash
# Unpacks a decrypted copy and compares it with what it says of itself. Whoever may write at a target can encrypt to
# the recipients too, so what comes is anybody's until its signature is verified. Runs on nodes, and where copies are rehearsed.
#
# usage: unpack-set.sh FOLDER <SET.tar.gz    FOLDER is empty; prints a line for each problem, and nothing where there is none
set -euo pipefail
shopt -s inherit_errexit
set=$1
# etcd advises no database above 8 GiB; all else is small.
largest=$((8 << 30))
# A set has some fifteen files and folders, and one for each former encryption key.
most=1000

main() {
  local bound
  # As much again is needed to restore it.
  bound=$(($(df --output=avail --block-size=1 "$set" | tail -n 1) / 2))
  ((bound < largest)) || bound=$largest
  if ! unpack "$bound"; then
    cat >/dev/null # or who sends fails first, and says why
    echo "the copy is no tar.gz of at most $most files and $bound bytes, half of what is free for $set or 8 GiB"
  elif [[ ! -s $set/set.json ]]; then
    echo "the copy has no set.json"
  elif ! plain; then
    echo "the copy has other files than it lists"
  elif ! signed; then
    echo "the copy is not signed by its cluster's CA: somebody else has made it, or a version of this program that did not sign"
  else
    damaged
  fi
}

# What is too large ends early: the archive's end is missing then. A file with holes is larger than what comes.
unpack() {
  gzip --decompress --stdout 2>/dev/null | head --bytes="$1" |
    tar --directory "$set" --extract --verbose --no-same-owner --file - 2>/dev/null | few || return 1
  (($(find "$set" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f", sum }') <= $1))
}

few() { [[ $(head -n $((most + 1)) | wc -l) -le $most ]]; }

# Plain files with plain names, and none beside those that the copy lists.
plain() {
  [[ -z $(find "$set" -mindepth 1 \( ! -type f ! -type d -o -name '*[!A-Za-z0-9._-]*' \) -print -quit) ]] &&
    cmp --silent <(find "$set" -type f -printf '%P\n' | sort) <(jq --raw-output '(.files | keys[]), "set.json", "set.json.sig"' "$set/set.json" | sort)
}

signed() {
  openssl dgst -sha256 -verify <(openssl x509 -in "$set/pki/ca.crt" -noout -pubkey) -signature "$set/set.json.sig" "$set/set.json" >/dev/null 2>&1
}

damaged() {
  local name digest
  while IFS=$'\t' read -r name digest; do
    [[ $(sha256sum <"$set/$name" | cut -d' ' -f1) == "$digest" ]] || echo "the copy is damaged: $name is not what was packed"
  done < <(jq --raw-output '.files | to_entries[] | [.key, .value] | @tsv' "$set/set.json")
}

main
