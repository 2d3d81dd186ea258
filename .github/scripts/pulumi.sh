#!/usr/bin/env bash
# Pulumi's CLI of .pulumi.version and the plugins of package.json, each held against its pinned checksum.
#
# usage: pulumi.sh install DIRECTORY    unpacks the CLI there and gives it the plugins; nothing that is not pinned
#        pulumi.sh pin                  downloads them, here and now, and writes .github/pulumi.sha256: look at the
#                                       change, compare it with the release's own checksums, commit it
#   PULUMI_RELEASES: where releases lie [https://get.pulumi.com/releases]
set -euo pipefail

releases=${PULUMI_RELEASES:-https://get.pulumi.com/releases}
pins=.github/pulumi.sha256
version=$(<.pulumi.version)

case $(uname -m) in
  x86_64) sdk=linux-x64 plugin=linux-amd64 ;;
  aarch64) sdk=linux-arm64 plugin=linux-arm64 ;;
  *)
    echo "$(uname -m): Pulumi has no release for it" >&2
    exit 1
    ;;
esac

# <name> <version> of the SDKs whose resources a plugin makes.
plugins() {
  jq -r '.dependencies | to_entries[] | select(.key | startswith("@pulumi/"))
    | select(.key | IN("@pulumi/pulumi", "@pulumi/policy") | not) | "\(.key | ltrimstr("@pulumi/")) \(.value)"' package.json
}

files() {
  echo "sdk/pulumi-v$version-$sdk.tar.gz"
  while read -r name of; do
    echo "plugins/pulumi-resource-$name-v$of-$plugin.tar.gz"
  done < <(plugins)
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
download() {
  curl --fail --silent --show-error --location --retry 3 --output "$scratch/$(basename "$1")" "$releases/$1"
}

case ${1:-} in
  pin)
    while read -r file; do download "$file"; done < <(files)
    (cd "$scratch" && sha256sum -- *.tar.gz) >"$pins"
    cat "$pins"
    ;;
  install)
    directory=${2:?usage: pulumi.sh install DIRECTORY}
    missing=()
    while read -r file; do
      name=$(basename "$file")
      grep -qE "^[0-9a-f]{64}  ${name//./\\.}\$" "$pins" 2>/dev/null || missing+=("$name")
    done < <(files)
    if ((${#missing[@]} > 0)); then
      printf "$pins: no checksum of %s\n" "${missing[@]}" >&2
      echo "run .github/scripts/pulumi.sh pin, compare, and commit the file" >&2
      exit 1
    fi
    while read -r file; do
      download "$file"
      name=$(basename "$file")
      (cd "$scratch" && grep -E "^[0-9a-f]{64}  ${name//./\\.}\$" "$OLDPWD/$pins" | sha256sum --check --quiet --strict -) || {
        echo "$releases/$file: not the file that was pinned" >&2
        exit 1
      }
    done < <(files)
    mkdir -p "$directory"
    tar -C "$directory" --strip-components=1 -xzf "$scratch/pulumi-v$version-$sdk.tar.gz"
    while read -r name of; do
      "$directory/pulumi" plugin install resource "$name" "$of" \
        --file "$scratch/pulumi-resource-$name-v$of-$plugin.tar.gz"
    done < <(plugins)
    ;;
  *)
    echo "usage: pulumi.sh install DIRECTORY | pin" >&2
    exit 2
    ;;
esac
