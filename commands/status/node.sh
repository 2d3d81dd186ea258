#!/usr/bin/env bash
# What one node says of itself, a fact a line; reads alone. Fed to `bash -s` as root. An API server or an etcd that is
# broken may answer late or never: they are asked side by side, and each for two and a half seconds at most.
#
#   steps NAME=HASH …         the markers of the steps: what was applied last
#   certificates EPOCH=PATH … when each ends
#   backup JSON               what the node's backups say of themselves, where there are any
#   etcd ID                   the cluster that a control plane's member of etcd belongs to; 0 where it does not answer,
#                             lost where its data are gone
#   nodes JSON                the cluster's list of its nodes, of a control plane
#   cilium JSON               the agents' configuration, of a control plane
set -uo pipefail
root=${root-}

etcd() {
  local pki=$root/etc/kubernetes/pki/etcd id
  [[ -f $pki/healthcheck-client.key ]] || return
  id=$(curl --silent --max-time 1.5 --cacert "$pki/ca.crt" --cert "$pki/healthcheck-client.crt" --key "$pki/healthcheck-client.key" \
    --data '{}' https://127.0.0.1:2379/v3/maintenance/status | sed -n 's/.*"cluster_id":"\([0-9]*\)".*/\1/p')
  [[ -n $id || $(ETCD_LIMIT=1 "$root"/usr/local/lib/oslo-cluster/oslo-step etcd-state 2>/dev/null) != lost ]] || id=lost
  echo "etcd ${id:-0}"
}
# api WHAT ARGUMENTS
api() {
  local config=$root/etc/kubernetes/admin.conf answer
  [[ -f $config ]] || return
  answer=$(timeout 2.5 kubectl --kubeconfig "$config" get "${@:2}" -o json 2>/dev/null | tr -d '\n') && echo "$1 $answer"
}
exec 3< <(etcd) 4< <(api nodes nodes) 5< <(api cilium --namespace kube-system configmap cilium-config)

facts=(steps)
for file in "$root"/var/lib/oslo-cluster/steps/*; do
  [[ -f $file ]] && facts+=("${file##*/}=$(sed -n 's/^inputHash=//p' "$file")")
done
echo "${facts[*]}"
facts=(certificates)
for file in "$root"/etc/kubernetes/pki/*.crt "$root"/etc/kubernetes/pki/etcd/*.crt \
  "$root"/var/lib/kubelet/pki/kubelet-{client,server}-current.pem "$root"/etc/kubernetes/{admin,controller-manager,scheduler}.conf; do
  [[ -f $file ]] || continue
  case $file in
    *.conf) certificate=$(awk '$1 == "client-certificate-data:" { print $2 }' "$file" | base64 --decode 2>/dev/null) ;;
    *) certificate=$(<"$file") ;;
  esac
  end=$(openssl x509 -noout -enddate <<<"$certificate" 2>/dev/null) || continue
  facts+=("$(date --date "${end#notAfter=}" +%s)=${file#"$root"}")
done
echo "${facts[*]}"
backup=$root/var/lib/oslo-cluster/backup/status.json
[[ -f $backup ]] && echo "backup $(tr -d '\n' <"$backup")"
cat /dev/fd/3 /dev/fd/4 /dev/fd/5
