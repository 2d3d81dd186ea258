#!/usr/bin/env bash
# Prints what a join needs, as the secrets of a document: a token of 5 minutes and the CA's hash.
# Where it comes back on stdin, the join is over, and the token is ended.
# Exit 3: this machine belongs to no cluster.
set -euo pipefail
kubeconfig=/etc/kubernetes/admin.conf
[[ -f /var/lib/oslo-cluster/cluster ]] || exit 3
ended=$(sed -n 's/^  TOKEN: "\([a-z0-9]\{6\}\)\.[a-z0-9]\{16\}"$/\1/p')
if [[ -n $ended ]]; then
  exec kubeadm token delete --kubeconfig "$kubeconfig" "$ended"
fi
token=$(kubeadm token create --kubeconfig "$kubeconfig" --ttl 5m --description "one join by oslo-cluster")
hash=$(openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1)
printf 'secrets:\n  TOKEN: "%s"\n  CA_CERT_HASH: "sha256:%s"\n' "$token" "$hash"
