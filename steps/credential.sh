#!/usr/bin/env bash
# Prints a client certificate for an operator that lives for an hour, in the form that kubeconfigs'
# `exec` users take. The key is made here and stays in the caller's memory.
set -euo pipefail
user=$(kubeadm kubeconfig user --client-name "oslo-cluster:operator" --org kubeadm:cluster-admins \
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
