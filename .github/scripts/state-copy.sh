#!/usr/bin/env bash
# Copies a stack's state for the previews of pull requests, which hold no credential of the state itself. It reads the
# backend and writes nothing there. Secrets leave it under the previews' own passphrase.
#
# usage: state-copy.sh STACK FILE
#   STACK is selected on the backend that pulumi is logged in to (PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE …)
#   PREVIEW_PASSPHRASE: what PULUMI_CONFIG_PASSPHRASE is in the environment `preview`
#   FILE: a tar archive of a backend of files
set -euo pipefail

stack=${1:?usage: state-copy.sh STACK FILE} file=$(realpath "${2:?usage: state-copy.sh STACK FILE}")
: "${PREVIEW_PASSPHRASE:?is empty; set the secret PREVIEW_PASSPHRASE of the environment}"
if [[ $PREVIEW_PASSPHRASE == "${PULUMI_CONFIG_PASSPHRASE:-}" ]]; then
  echo "PREVIEW_PASSPHRASE is the stack's own PULUMI_CONFIG_PASSPHRASE; give previews another" >&2
  exit 1
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/project" "$copy/state" "$copy/home"
grep -E '^name:' Pulumi.yaml >"$copy/project/Pulumi.yaml"
echo "runtime: nodejs" >>"$copy/project/Pulumi.yaml"

# Of the copy alone: nothing of the real backend's credentials reaches it, and none of its own the real one.
copied() {
  env -u PULUMI_ACCESS_TOKEN PULUMI_HOME="$copy/home" PULUMI_BACKEND_URL="file://$copy/state" \
    PULUMI_CONFIG_PASSPHRASE="$PREVIEW_PASSPHRASE" \
    pulumi --cwd "$copy/project" --non-interactive "$@"
}
copied stack init "$stack" >&2
# An export names the passphrase's salt that its secrets take: here the copy's.
providers=$(copied stack export --stack "$stack" | jq .deployment.secrets_providers)
pulumi stack export --stack "$stack" --show-secrets --non-interactive |
  jq --argjson providers "$providers" '.deployment.secrets_providers = $providers' |
  copied stack import --stack "$stack" >&2
# Opens the copy's secrets, with the passphrase.
grep '^encryptionsalt:' "$copy/project/Pulumi.$stack.yaml" >"$copy/state/salt-$stack"
tar -C "$copy/state" -cf "$file" .
