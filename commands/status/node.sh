#!/usr/bin/env bash
# What one node says of itself, a fact a line; reads alone. Fed to `bash -s` as root.
#
#   step NAME HASH      the marker of a step: what was applied last
#   expires EPOCH PATH  a certificate
#   backup JSON         what the node's backups say of themselves, where there are any
#   nodes JSON          the cluster's list of its nodes, of a control plane
#   etcd ID             the cluster that a control plane's member of etcd belongs to; 0 where it does not answer, lost where
#                       its data are gone
#   cilium JSON         the agents' configuration, of a control plane
set -uo pipefail
root=${root-}

for file in "$root"/var/lib/oslo-cluster/steps/*; do
  [[ -f $file ]] && echo "step ${file##*/} $(sed -n 's/^inputHash=//p' "$file")"
done
for file in "$root"/etc/kubernetes/pki/*.crt "$root"/etc/kubernetes/pki/etcd/*.crt \
  "$root"/var/lib/kubelet/pki/kubelet-{client,server}-current.pem "$root"/etc/kubernetes/{admin,controller-manager,scheduler}.conf; do
  [[ -f $file ]] || continue
  case $file in
    *.conf) certificate=$(awk '$1 == "client-certificate-data:" { print $2 }' "$file" | base64 --decode 2>/dev/null) ;;
    *) certificate=$(<"$file") ;;
  esac
  end=$(openssl x509 -noout -enddate <<<"$certificate" 2>/dev/null) || continue
  echo "expires $(date --date "${end#notAfter=}" +%s) ${file#"$root"}"
done
backup=$root/var/lib/oslo-cluster/backup/status.json
[[ -f $backup ]] && echo "backup $(tr -d '\n' <"$backup")"
pki=$root/etc/kubernetes/pki/etcd
if [[ -f $pki/healthcheck-client.key ]]; then
  id=$(curl --silent --max-time 2 --cacert "$pki/ca.crt" --cert "$pki/healthcheck-client.crt" --key "$pki/healthcheck-client.key" \
    --data '{}' https://127.0.0.1:2379/v3/maintenance/status | sed -n 's/.*"cluster_id":"\([0-9]*\)".*/\1/p')
  [[ -n $id || $("$root"/usr/local/lib/oslo-cluster/oslo-step etcd-state 2>/dev/null) != lost ]] || id=lost
  echo "etcd ${id:-0}"
fi
config=$root/etc/kubernetes/admin.conf
if [[ -f $config ]]; then
  ask() { kubectl --kubeconfig "$config" --request-timeout 3s get "$@" -o json 2>/dev/null | tr -d '\n'; }
  nodes=$(ask nodes) && echo "nodes $nodes"
  cilium=$(ask --namespace kube-system configmap cilium-config) && echo "cilium $cilium"
fi
exit 0
