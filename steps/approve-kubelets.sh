#!/usr/bin/env bash
# Approves requests of kubelets for serving certificates, by the plan alone: a node of the plan gets its own name
# and addresses and nothing else, and a request for more is denied. Who is no node of the plan gets no answer and is
# named in the journal. A unit runs it for ever on every control plane; several of them may decide at once.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=steps/serving-request.sh
source "${BASH_SOURCE[0]%/*}/serving-request.sh"
umask 077
home=$RUNTIME_DIRECTORY
kubelets=/etc/oslo-cluster/kubelets.json
requests=$API/apis/certificates.k8s.io/v1/certificatesigningrequests
# A watch ends after that many seconds, and the next one begins with all requests that there are.
turn=600

main() {
  [[ -e $kubeconfig ]] || exit 0 # no cluster here yet: the unit tries again
  # The only use of the cluster's own credential: the rights of the narrow one.
  admin --request-timeout 20s apply --server-side --force-conflicts --filename /etc/oslo-cluster/kubelet-approver.yaml >/dev/null
  while true; do
    credential
    ask --no-buffer --max-time $((turn + 60)) \
      "$requests?fieldSelector=spec.signerName%3Dkubernetes.io%2Fkubelet-serving&watch=true&timeoutSeconds=$turn" |
      while IFS= read -r event; do judge "$event"; done
  done
}

# A client certificate that lives for a day, made by this machine, which has the CA; it never leaves it.
credential() {
  local user
  ! openssl x509 -checkend 43200 -noout -in "$home/client.crt" >/dev/null 2>&1 || return 0
  user=$(kubeadm kubeconfig user --client-name "$APPROVER" --validity-period 24h --config /etc/oslo-cluster/kubeadm-init.yaml 2>/dev/null)
  awk '$1 == "client-key-data:" { print $2 }' <<<"$user" | base64 --decode >"$home/client.key"
  awk '$1 == "client-certificate-data:" { print $2 }' <<<"$user" | base64 --decode >"$home/client.crt"
}

ask() {
  curl --silent --show-error --fail-with-body --cacert /etc/kubernetes/pki/ca.crt \
    --cert "$home/client.crt" --key "$home/client.key" "$@"
}

judge() {
  local event=$1 name user groups usages pem allowed problem
  # By its own field: a request may have annotations of any name.
  [[ $(jq --raw-output .type <<<"$event") != ERROR ]] || die "the API server ends the watch: $event"
  # No field is ever empty: read would skip it.
  event=$(jq --compact-output 'select(.type == ("ADDED", "MODIFIED")) | .object | select((.status.conditions // []) == [])' <<<"$event")
  [[ -n $event ]] || return 0
  IFS=$'\t' read -r name user groups usages pem < <(jq --raw-output \
    '[.metadata.name, .spec.username, "\(.spec.groups // [])", "\(.spec.usages // [] | sort)", .spec.request] | @tsv' <<<"$event")
  allowed=$(jq --raw-output --arg user "$user" 'to_entries[] | select("system:node:\(.key)" == $user) | .value[]' "$kubelets")
  if [[ -z $allowed ]]; then
    say "left: request $name is by $(printable "$user"), who is not a node of the plan"
    return
  fi
  problem=$(serving_problem "$user" "$groups" "$usages" "$(base64 --decode <<<"$pem")" "$allowed")
  if [[ -z $problem ]]; then
    decide "$event" "$name" Approved "the names of $user in the plan"
  else
    decide "$event" "$name" Denied "$problem"
  fi
}

decide() {
  local event=$1 name=$2 type=$3 message=$4 body code
  body=$(jq --arg type "$type" --arg message "$message" \
    '.status.conditions = [{$type, status: "True", reason: "OsloClusterPlan", $message}]' <<<"$event")
  # Whoever else decides at the same time has the same plan: a conflict is a decision.
  code=$(ask --max-time 20 --retry 2 --retry-delay 1 --output "$home/answer" --write-out '%{http_code}' --header 'Content-Type: application/json' \
    --request PUT --data-binary @- "$requests/$name/approval" <<<"$body") || true
  case $code in
    200) say "${type,,}: request $name: $message" ;;
    404 | 409) ;;
    # Of this request alone, such as one that is too large with an answer: the others are decided all the same.
    4* | 5*) say "not ${type,,}: request $name: $code $(printable "$(<"$home/answer")")" ;;
    *) die "request $name was not ${type,,}: no answer ($code)" ;;
  esac
}

main
