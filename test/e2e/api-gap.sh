#!/bin/bash
# Runs on a host of the lab until it is ended: a write and a read through the node's own balancer ten times a second, a new
# connection each, without retries. One line for each that is answered: seconds, then read or write.
#
#   api-gap.sh FOLDER    FOLDER: with client.crt, client.key and ca.crt of somebody who may
set -u
cd "$1" || exit 1
url=https://127.0.0.1:7443/api/v1/namespaces/kube-system/configmaps/api-gap
ask() {
  curl --silent --fail --output /dev/null --connect-timeout 2 --max-time 4 --cacert ca.crt --cert client.crt --key client.key "$@"
}
while sleep 0.1; do
  {
    ask "$url" && echo "$EPOCHREALTIME read"
    ask --request PATCH --header 'Content-Type: application/merge-patch+json' --data "{\"data\":{\"at\":\"$EPOCHREALTIME\"}}" "$url" &&
      echo "$EPOCHREALTIME write"
  } >>answers &
done
