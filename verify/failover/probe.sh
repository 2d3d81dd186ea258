# shellcheck shell=bash disable=SC2154 # its variables come before it
# Runs on a node until its input ends: a write and a read through the node's own balancer ten times a second, a new
# connection each, without retries. A line for each that is answered: seconds, then read or write; and each second one
# with `alive`, which says until when it asked.
#
#   $URL: a ConfigMap; $TOKEN: of somebody who may read and change it
set -u
: "${URL:?}" "${TOKEN:?}"
directory=/run/oslo-verify/failover
(umask 077 && mkdir -p "$directory")
trap 'rm -rf "$directory"' EXIT
(umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" >"$directory/curl")
ask() {
  curl --config "$directory/curl" --silent --fail --output /dev/null --connect-timeout 2 --max-time 4 \
    --cacert /etc/kubernetes/pki/ca.crt "$@"
}
rounds=0
while sleep 0.1; do
  ((rounds++ % 10 > 0)) || echo "$EPOCHREALTIME alive"
  {
    ask "$URL" && echo "$EPOCHREALTIME read"
    ask --request PATCH --header 'Content-Type: application/merge-patch+json' \
      --data "{\"data\":{\"at\":\"$EPOCHREALTIME\"}}" "$URL" && echo "$EPOCHREALTIME write"
  } &
done
