#!/bin/sh
# Runs on the operator's machine: starts the probe on every node at once, each over one SSH session, and
# ends all of them once each has said what arrived there, or one has failed. The calls of `probe`
# follow this text on stdin, each with a node's document, and `finish` as the last.
set -eu

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 143' TERM INT HUP
# A node's probe ends with its stdin: 9 holds it open for all of them, also as long as this lives.
# To and fro on 9 first, since the reading end alone would wait for a writer.
mkfifo "$directory/hold" "$directory/decided"
exec 9<>"$directory/hold" 8<>"$directory/decided"
exec 7<"$directory/hold"
nodes=''

# probe NODE COMMAND… <DOCUMENT
probe() {
  node=$1
  shift
  nodes="$nodes $node"
  cat >"$directory/$node.document"
  {
    cat "$directory/$node.document" - <&7 |
      { "$@" 8>&- || echo "$?" >"$directory/$node.failed"; } |
      {
        IFS= read -r line && printf '%s\n' "$line" >"$directory/$node.reading"
        echo "$node" >&8
        cat >/dev/null
      }
  } 9>&- &
}

finish() {
  for _ in $nodes; do
    read -r node <&8
    # One that cannot take part would let the others wait for its packets.
    [ -e "$directory/$node.reading" ] || break
  done
  exec 9>&- 7<&-
  wait
  status=0
  reading=''
  for node in $nodes; do
    failed=$(cat "$directory/$node.failed" 2>/dev/null || true)
    if [ "$failed" = 255 ]; then
      echo "error: $node does not answer by SSH, or the connection was lost; run it again" >&2
    fi
    if [ -n "$failed" ] || [ ! -e "$directory/$node.reading" ]; then
      status=1
    else
      reading=$reading,$(sed 's/^{//;s/}$//' "$directory/$node.reading")
    fi
  done
  [ "$status" != 0 ] || printf '{%s}\n' "${reading#,}"
  exit "$status"
}
