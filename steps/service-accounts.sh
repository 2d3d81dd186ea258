# shellcheck shell=bash
# Default service accounts mount no token where nobody has said that they shall. A policy of the API server sees to
# those of namespaces that are made later; those that are there already are written once.

policy=/etc/oslo-cluster/service-accounts.yaml
kinds=mutatingadmissionpolicies,mutatingadmissionpolicybindings
name=oslo-cluster-default-service-accounts

check() {
  local there
  files_drift
  admin get --raw /readyz >/dev/null 2>&1 || { echo "the API server is not ready" && return; }
  there=$({ admin get "$kinds" --field-selector "metadata.name=$name" --output name 2>/dev/null || true; } | wc -l)
  if [[ $AUTOMOUNT == true ]]; then
    [[ $there == 0 ]] || echo "the policy $name is there, and tokens are to be mounted"
    return
  fi
  [[ ! -e $WORK/files$policy || $there == 2 ]] || echo "the policy $name or its binding is missing"
  unsaid | sed 's|$|/default mounts its token|'
}

apply() {
  local namespace namespaces
  files_apply
  if [[ $AUTOMOUNT == true ]]; then
    # What was written stays as it is: whose namespace it is says otherwise.
    if [[ -e $policy ]]; then
      ask_api --request-timeout 20s delete "$kinds" --field-selector "metadata.name=$name" --ignore-not-found
      rm -f "$policy"
    fi
    return
  fi
  if [[ -e $WORK/files$policy ]]; then
    ask_api --request-timeout 20s apply --server-side --force-conflicts --filename "$policy"
    # An API server uses a policy some time after it has it: an account that is made in between is in nobody's care.
    wait_until 60 "the API server uses the policy $name" policy_in_use
  fi
  namespaces=$(unsaid)
  for namespace in $namespaces; do
    ask_api --request-timeout 20s --namespace "$namespace" patch serviceaccount default --patch '{"automountServiceAccountToken":false}'
  done
}

# Does it write into an account of which nothing is said? Nothing is kept of this try.
policy_in_use() {
  local said
  said=$(admin --request-timeout 20s --namespace kube-system patch serviceaccount default --dry-run=server \
    --patch '{"automountServiceAccountToken":null}' --output 'jsonpath={.automountServiceAccountToken}')
  [[ $said == false ]]
}

# Namespaces whose default service account nobody has said anything about.
unsaid() {
  ask_api --request-timeout 20s get serviceaccounts --all-namespaces --field-selector metadata.name=default --output json |
    jq --raw-output '.items[] | select(.automountServiceAccountToken == null) | .metadata.namespace'
}
