#!/usr/bin/env bash
# Prints what a join needs, as the secrets of a document: a token of 5 minutes and the CA; for a control
# plane the cluster's own keys as well. Before that, what an earlier join of it has left in etcd is removed.
# Where the token comes back on stdin, the join is over, and the token is ended.
# Exit 3: this machine belongs to no cluster; 75: its API or its etcd does not answer.
#
#   oslo-step mint-join worker NAME
#   oslo-step mint-join control-plane NAME PEER    PEER: the URL that its etcd will have
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=steps/etcd.sh
source "${BASH_SOURCE[0]%/*}/etcd.sh"
[[ -f $state/cluster ]] || exit 3
ended=$(sed -n 's/^  TOKEN: "\([a-z0-9]\{6\}\)\.[a-z0-9]\{16\}"$/\1/p')
if [[ -n $ended ]]; then
  exec kubeadm token delete --kubeconfig "$kubeconfig" "$ended"
fi
role=$1
# All of what kubeadm does not make again for each control plane, and the key to what is encrypted in etcd.
shared=(pki/{ca,front-proxy-ca,etcd/ca}.{crt,key} pki/sa.{key,pub} encryption/config.yaml)
# Former keys, where there are any.
[[ ! -d /etc/kubernetes/encryption-keys ]] || shared+=(encryption-keys)
if [[ $role == control-plane ]]; then
  (wait_until "$ask_seconds" "etcd answers" etcd_members) || exit 75
  etcd_remove "$2" "$3" >&2
fi
# A name that has left may come back with this join.
left=$(ask_api --request-timeout 20s --namespace kube-system get configmap oslo-cluster-removed-nodes --ignore-not-found --output "jsonpath={.data.${2//./\\.}}") || exit 75
if [[ -n $left ]]; then
  echo "node $2 left the cluster at $left and joins again: a certificate of its former machine, if that was not wiped, is accepted again too. Give the node another name if that machine was lost." >&2
  ask_api --request-timeout 20s --namespace kube-system patch configmap oslo-cluster-removed-nodes --type merge --patch "{\"data\":{\"$2\":null}}" >&2 || exit 75
fi
token=$(kubeadm token create --kubeconfig "$kubeconfig" --ttl 5m --description "one join by oslo-cluster") || exit 75
printf 'secrets:\n  TOKEN: "%s"\n  CA_CERTIFICATE: "%s"\n' "$token" "$(base64 --wrap=0 /etc/kubernetes/pki/ca.crt)"
[[ $role != control-plane ]] ||
  printf '  SHARED: "%s"\n' "$(tar --create --directory /etc/kubernetes "${shared[@]}" | base64 --wrap=0)"
