#!/usr/bin/env bash
# Makes an OCI layout of one image with umoci.
#
# usage: image.sh LAYOUT TAG ENTRYPOINT ENV SOURCE=TARGET…
#   LAYOUT      directory of the OCI layout; made if it is not there
#   ENTRYPOINT  the command inside, or - for none (the manifests name their command)
#   ENV         NAME=VALUE of the image's environment, or - for none
#   SOURCE      a program (a module's archive carries no execute permission), or a directory whose content is put at the target; TARGET / is a whole root
#               file system, which comes first
set -euo pipefail

layout=${1:?} tag=${2:?} entrypoint=${3:?} environment=${4:?}
shift 4

[[ -e $layout/index.json ]] || umoci init --layout "$layout"
umoci new --image "$layout:$tag"

base=$(mktemp -d)
trap 'rm -rf "$base"' EXIT
if [[ ${1#*=} != / ]]; then
  mkdir -p "$base/etc" "$base/tmp"
  chmod 1777 "$base/tmp"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' \
    >"$base/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$base/etc/group"
  printf 'hosts: files dns\n' >"$base/etc/nsswitch.conf"
  umoci insert --image "$layout:$tag" "$base/etc" /etc
  umoci insert --image "$layout:$tag" "$base/tmp" /tmp
fi
for file in "$@"; do
  source=${file%%=*}
  if [[ -f $source ]]; then
    install -m 0755 "$source" "$base/program"
    source=$base/program
  fi
  umoci insert --image "$layout:$tag" "$source" "${file#*=}"
done

config=(--config.env "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/")
if [[ $environment != - ]]; then config+=(--config.env "$environment"); fi
if [[ $entrypoint != - ]]; then config+=(--config.entrypoint "$entrypoint"); fi
umoci config --image "$layout:$tag" --os linux --architecture amd64 "${config[@]}"
