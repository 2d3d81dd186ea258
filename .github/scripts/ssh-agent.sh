#!/usr/bin/env bash
# Starts an ssh-agent with the key in SSH_KEY for the steps that follow. The key touches no disk.
set -euo pipefail

: "${SSH_KEY:?is empty; set the secret OSLO_CLUSTER_SSH_KEY of the environment to a private key without a passphrase}"
eval "$(ssh-agent -s)" >/dev/null
printf '%s\n' "$SSH_KEY" | ssh-add -q -
{
  echo "SSH_AUTH_SOCK=$SSH_AUTH_SOCK"
  echo "SSH_AGENT_PID=$SSH_AGENT_PID"
} >>"$GITHUB_ENV"
