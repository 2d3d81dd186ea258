#!/usr/bin/env bash
# Prints who the cluster is, as a control plane knows it: version, the UID of kube-system, the CA's certificate.
# Exit 3: this machine belongs to no cluster; 75: the API does not answer.
set -euo pipefail
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
[[ -f $state/cluster ]] || exit 3
uid=$(ask_api --request-timeout 20s get namespace kube-system --output jsonpath='{.metadata.uid}') || exit 75
version=$(ask_api --request-timeout 20s version --output json | jq --raw-output '.serverVersion.gitVersion') || exit 75
printf '{"version":"%s","uid":"%s","caCertificate":"%s"}\n' "${version#v}" "$uid" \
  "$(base64 --wrap=0 /etc/kubernetes/pki/ca.crt)"
