#!/usr/bin/env bash
# Restores a decrypted copy into a throw-away etcd and API server and compares what they hold with what
# the copy says of itself. It runs in a network and a process namespace of its own: nothing else reaches
# what is decrypted here, and everything started here ends with it.
#
# usage: rehearse.sh WORK   with the copy in WORK/set, as steps/unpack-set.sh has found it good; etcd, etcdctl, etcdutl, kube-apiserver and kubectl on PATH
#
# Writes WORK/result.json, {objects, problems}; exits 0 where it came to a result, good or bad.
set -euo pipefail
shopt -s inherit_errexit
work=$1 set=$1/set
umask 077
objects=0
problems=()

main() {
  trap finish EXIT
  ip link set lo up
  restore
  counts
  start_api_server
  identity
  secrets
  ready
}

problem() { problems+=("$*"); }

# Ends the rehearsal: what follows would say nothing.
give_up() {
  problem "$*"
  exit 0
}

finish() {
  local code=$?
  ((code == 0)) || problem "the rehearsal itself ended with $code: $(tail -n 2 "$work/log" 2>/dev/null | tr '\n' ' ')"
  printf '%s\n' "${problems[@]}" | jq --raw-input --slurp --argjson objects "$objects" \
    '{$objects, problems: [split("\n")[] | select(. != "")]}' >"$work/result.json"
  # Init of this process namespace: the rest ends with it.
  exit 0
}

fact() { jq --raw-output "$1" "$set/set.json"; }

# With the flags of the real restore.
restore() {
  etcdutl snapshot status "$set/snapshot.db" --write-out json >"$work/status.json" 2>"$work/log" ||
    give_up "the snapshot cannot be read: $(tail -n 1 "$work/log")"
  [[ $(jq .hash "$work/status.json") == "$(fact .snapshot.hash)" ]] || problem "the snapshot's hash is not the one that was packed"
  etcdutl snapshot restore "$set/snapshot.db" --name rehearsal --initial-cluster rehearsal=http://127.0.0.1:2380 \
    --initial-advertise-peer-urls http://127.0.0.1:2380 --bump-revision 1000000000 --mark-compacted \
    --data-dir "$work/etcd" >"$work/log" 2>&1 || give_up "etcdutl snapshot restore: $(tail -n 1 "$work/log")"
  etcd --name rehearsal --data-dir "$work/etcd" --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 --log-level error >"$work/etcd.log" 2>&1 &
  wait_until 60 etcdctl get rehearsal || give_up "etcd does not start from the copy: $(tail -n 1 "$work/etcd.log")"
}

# Waits until a command succeeds: wait_until SECONDS COMMAND...
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    read -r -t 0.3 <> <(:) || true
  done
}

# Each kind has as many objects as when the copy was made. Before an API server writes here.
counts() {
  local kind wanted found
  etcdctl get /registry/ --prefix --keys-only | awk -F/ 'NF > 2 { count[$3]++ } END { for (kind in count) print kind, count[kind] }' >"$work/counts"
  objects=$(awk '{ sum += $2 } END { print sum + 0 }' "$work/counts")
  ((objects > 0)) || give_up "the copy is empty: no object in it"
  while read -r kind wanted; do
    found=$(awk -v kind="$kind" '$1 == kind { print $2 }' "$work/counts")
    [[ $found == "$wanted" ]] || problem "$kind: $wanted objects were packed, ${found:-0} are restored"
  done < <(fact '.counts | to_entries[] | "\(.key) \(.value)"')
}

start_api_server() {
  local pki=$set/pki
  openssl req -new -newkey rsa:2048 -nodes -keyout "$work/client.key" -subj '/O=system:masters/CN=rehearsal' 2>/dev/null |
    openssl x509 -req -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 1 -out "$work/client.crt" 2>/dev/null ||
    give_up "the copy's CA does not sign"
  kube-apiserver --etcd-servers http://127.0.0.1:2379 --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port 6443 \
    --cert-dir "$work/serving" --client-ca-file "$pki/ca.crt" --authorization-mode RBAC --service-cluster-ip-range "$(service_subnet)" \
    --service-account-issuer https://kubernetes.default.svc.cluster.local --service-account-key-file "$pki/sa.pub" \
    --service-account-signing-key-file "$pki/sa.key" --encryption-provider-config "$set/encryption/config.yaml" >"$work/api.log" 2>&1 &
  # It is not ready as long as it cannot decrypt: with a wrong key never.
  wait_until 180 ask get namespace kube-system || give_up "the API server does not start from the copy: $(grep '^[EF]' "$work/api.log" | tail -n 1)"
}

service_subnet() { sed -n 's/^ *serviceSubnet: *//p' "$set/kubeadm-config.yaml" | head -n 1 | tr -d '"' | grep . || echo 10.96.0.0/16; }

ask() {
  kubectl --server https://127.0.0.1:6443 --insecure-skip-tls-verify --client-certificate "$work/client.crt" \
    --client-key "$work/client.key" --request-timeout 60s "$@"
}

identity() {
  local uid
  uid=$(ask get namespace kube-system --output jsonpath='{.metadata.uid}' 2>"$work/log") || give_up "kube-system is not in the copy: $(tail -n 1 "$work/log")"
  [[ $uid == "$(fact .uid)" ]] || problem "the copy says that it is of cluster $(fact .uid), and holds cluster $uid"
}

# All of them decrypt, and the one that was written just before has the value that it then had.
secrets() {
  local count name namespace digest
  if ! count=$(ask get secrets --all-namespaces --chunk-size 500 --output name 2>"$work/log" | wc -l); then
    give_up "Secrets do not decrypt with the copy's own keys: $(tail -n 1 "$work/log")"
  fi
  [[ $count == "$(fact '.counts.secrets // 0')" ]] || problem "$(fact .counts.secrets) Secrets were packed, $count decrypt"
  if [[ $(fact .canary) == null ]]; then
    problem "the copy has no canary Secret: the API server did not answer when it was made"
    return
  fi
  name=$(fact .canary.name) namespace=$(fact .canary.namespace)
  digest=$(ask --namespace "$namespace" get secret "$name" --output jsonpath='{.data.value}' 2>"$work/log" | base64 --decode | sha256sum | cut -d' ' -f1) || true
  [[ $digest == "$(fact .canary.sha256)" ]] || problem "the canary Secret $namespace/$name does not have the value that was written before the copy"
}

ready() {
  wait_until 180 ask get --raw /readyz || problem "the API server does not become ready from the copy: $(grep '^[EF]' "$work/api.log" | tail -n 1)"
}

main
