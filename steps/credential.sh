#!/usr/bin/env bash
# Prints a client certificate for an operator that lives for an hour, in the form that kubeconfigs'
# `exec` users take. The key is made here and stays in the caller's memory. The name in it is that of the SSH key
# that logged in, for the audit log: who may run this is root, and could write any other.
set -euo pipefail

# What sshd says of the login (ExposeAuthInfo): a file whose name is in the environment of its own child, which sudo
# does not hand on. The topmost ancestor that has it.
login() {
  local pid=$$ found='' here
  while ((pid > 1)); do
    here=$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^SSH_USER_AUTH=//p' || true)
    [[ -z $here ]] || found=$here
    pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status")
  done
  [[ $found =~ ^/tmp/sshauth\.[A-Za-z0-9]+$ && -f $found ]] || return 0
  echo "$found"
}

# The comment of the key in the account's own authorized_keys; else its fingerprint.
key_name() {
  local file=$1 algorithm body keys comment=''
  read -r _ algorithm body < <(grep '^publickey ' "$file") || return 0
  keys=$(getent passwd "$(stat --format=%U "$file")" | cut -d: -f6)/.ssh/authorized_keys
  if [[ -r $keys ]]; then
    comment=$(awk -v body="$body" '{ for (i = 1; i < NF; i++) if ($i == body) { print $(i + 1); exit } }' "$keys")
  fi
  if [[ $comment =~ ^[A-Za-z0-9._@-]{1,51}$ ]]; then
    echo "$comment"
  else
    ssh-keygen -l -f - <<<"$algorithm $body" | awk '{ print $2 }'
  fi
}

file=$(login)
name=operator
if [[ -n $file ]]; then
  name=$(key_name "$file" || true)
  name=${name:-operator}
fi
user=$(kubeadm kubeconfig user --client-name "oslo-cluster:$name" --org kubeadm:cluster-admins \
  --validity-period 1h --config /etc/oslo-cluster/kubeadm-init.yaml 2>/dev/null)
part() { awk -v key="$1:" '$1 == key { print $2 }' <<<"$user" | base64 --decode; }
# By the environment: a command's arguments can be read by everyone.
certificate=$(part client-certificate-data) key=$(part client-key-data) \
expires=$(date --utc --date '+55 minutes' +%FT%TZ) jq --null-input '{
    apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential",
    status: {
      expirationTimestamp: env.expires, clientCertificateData: env.certificate, clientKeyData: env.key
    }
  }'
