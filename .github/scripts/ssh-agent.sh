#!/usr/bin/env bash
# An ssh-agent with the environment's own key, for the steps that follow. The key touches no disk, and ends by itself.
#
# usage: ssh-agent.sh start    SSH_KEY: a private key without a passphrase; SSH_KEY_FINGERPRINT: the one that it must
#                              have; SSH_KEY_SECONDS: how long the agent holds it [7200]
#        ssh-agent.sh stop     ends the agent that start has left in SSH_AGENT_PID, with `if: always()`
set -euo pipefail

case ${1:-} in
  start)
    : "${SSH_KEY:?is empty; set the secret OSLO_CLUSTER_SSH_KEY of the environment to a private key without a passphrase}"
    : "${SSH_KEY_FINGERPRINT:?is empty; it is sshKey of the stack in .github/environments.json}"
    seconds=${SSH_KEY_SECONDS:-7200}
    eval "$(ssh-agent -s -t "$seconds")" >/dev/null
    # For stop, also where what follows fails.
    {
      echo "SSH_AUTH_SOCK=$SSH_AUTH_SOCK"
      echo "SSH_AGENT_PID=$SSH_AGENT_PID"
    } >>"$GITHUB_ENV"
    printf '%s\n' "$SSH_KEY" | ssh-add -q -t "$seconds" -
    read -r _ found _ < <(ssh-add -l)
    if [[ $found != "$SSH_KEY_FINGERPRINT" ]]; then
      ssh-agent -k >/dev/null
      echo "OSLO_CLUSTER_SSH_KEY: its fingerprint is $found, and .github/environments.json says $SSH_KEY_FINGERPRINT; each environment has a key of its own" >&2
      exit 1
    fi
    ;;
  stop)
    # Nothing was started: a step before it has failed.
    [[ -n ${SSH_AGENT_PID:-} ]] || exit 0
    ssh-agent -k >/dev/null
    ;;
  *)
    echo "usage: ssh-agent.sh start|stop" >&2
    exit 2
    ;;
esac
