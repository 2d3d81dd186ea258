# shellcheck shell=bash
# A control plane: joins the cluster that its peers have, or makes one where none of them has. kubeadm init is neither atomic nor repeatable, so three states are told apart:
# nothing there yet: init. A part of our own init there, alone: reset and init again. A living cluster of
# ours: refuse what cannot change, apply the rest. Anything else is somebody's cluster: stop.
# shellcheck source=steps/containers.sh
source "${BASH_SOURCE[0]%/*}/containers.sh"

init_document=/etc/oslo-cluster/kubeadm-init.yaml
encryption=/etc/kubernetes/encryption/config.yaml

check() {
  files_drift
  if [[ ! -f $state/cluster ]]; then
    echo "kubeadm init has not finished"
    return
  fi
  healthy || echo "the API server at $READYZ is not ready"
  systemctl is-active --quiet kubelet || echo "kubelet is not running"
  admin get node "$NODE" >/dev/null 2>&1 || echo "node $NODE is not in the cluster"
  if admin --namespace kube-system get daemonset kube-proxy >/dev/null 2>&1; then
    echo "kube-proxy is back: kubectl -n kube-system delete daemonset,configmap kube-proxy"
  fi
}

apply() {
  if [[ -f $state/cluster ]]; then
    reconfigure
  elif [[ -n ${TOKEN:-} ]]; then
    die "joining a control plane is not built yet"
  else
    [[ -z ${SILENT:-} ]] ||
      die "$(hostname) cannot tell whether there is a cluster already: no answer from $SILENT. Run again when they answer; for those that are gone for good, run with OSLO_CLUSTER_ABANDON=${SILENT// /,}"
    initialize
  fi
  wait_until 120 "API server ready" healthy
  rm -f /etc/kubernetes/super-admin.conf
  immutables >"$state/cluster.new"
  mv "$state/cluster.new" "$state/cluster"
}

healthy() { curl --fail --silent --max-time 5 --output /dev/null --cacert /etc/kubernetes/pki/ca.crt "$READYZ"; }

immutables() { sed -n 's/^IMMUTABLE_//p' "$WORK/vars" | sort; }

initialize() {
  if [[ -e /etc/kubernetes/admin.conf || -e /etc/kubernetes/manifests/kube-apiserver.yaml || -d /var/lib/etcd/member ]]; then
    [[ -f $state/initializing ]] ||
      die "$(hostname) holds a Kubernetes control plane that this program did not make; release it with kubeadm reset, or take another machine"
    [[ $(etcd_members) -le 1 ]] ||
      die "an unfinished init on $(hostname) has $(etcd_members) etcd members; remove the others by hand before running again"
    say "an earlier init did not finish: reset"
    kubeadm reset --force --cri-socket unix:///run/containerd/containerd.sock
    rm -rf /var/lib/etcd/member
  fi
  date --utc +%FT%TZ >"$state/initializing"
  files_apply
  # After the reset: it empties /etc/kubernetes of some of what the API server needs.
  encryption_key
  systemctl start kubelet || true
  say "kubeadm init"
  # init prints the token that it makes for joins, and keeps it for 24 h. Each join mints its own here.
  kubeadm init --config "$init_document" | sed '/Using token/d'
  admin --namespace kube-system delete secrets --field-selector type=bootstrap.kubernetes.io/token
}

# A changed document on a living cluster.
reconfigure() {
  local difference
  difference=$(diff <(immutables) "$state/cluster" | sed -n 's/^< /asked for: /p; s/^> /in use:    /p') || true
  [[ -z $difference ]] ||
    die "a living cluster cannot change this; put the value in use back, or make a new cluster:"$'\n'"$difference"
  files_apply
  encryption_key
  if ((${#CHANGED[@]} == 0)) && healthy; then return; fi
  say "apply the changed configuration to the control plane"
  rm -f /etc/kubernetes/*.yaml.restarting # of a run that was killed: kubeadm writes the manifests again
  rm -f /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.key
  kubeadm init phase certs apiserver --config "$init_document"
  kubeadm init phase control-plane all --config "$init_document"
  kubeadm init phase upload-config all --config "$init_document"
  # The kubelet notices a changed manifest; changed policies and certificates it does not.
  restart_static_pod kube-apiserver
}

# Restarts a static pod: its manifest is moved away until its container has ended. It is put back whatever happens.
restart_static_pod() {
  local name=$1
  # Not local: the trap runs when the function has returned.
  manifest=/etc/kubernetes/manifests/$name.yaml aside=/etc/kubernetes/$name.yaml.restarting
  trap 'if [[ -e $aside ]]; then mv "$aside" "$manifest"; fi' EXIT
  trap 'exit 143' TERM
  mv "$manifest" "$aside"
  wait_until 60 "$name stopped" stopped "$name"
  mv "$aside" "$manifest"
  trap - EXIT TERM
}

stopped() {
  local running
  running=$(system_containers "$1") || return
  [[ -z $running ]] || { echo "running: $running" && return 1; }
}

# Made here, once, and never leaves this machine but to other control planes.
encryption_key() {
  if [[ -s $encryption ]]; then return; fi
  install -d -m 0700 "${encryption%/*}"
  (
    umask 077
    key=$(head -c 32 /dev/urandom | base64 --wrap=0)
    # By the shell itself: a command's arguments can be read by everyone.
    template=$(</etc/oslo-cluster/encryption-template.yaml)
    printf '%s\n' "${template/__SECRETBOX_KEY__/"$key"}" >"$encryption.new"
  )
  mv "$encryption.new" "$encryption"
}

# Members that this node's etcd knows of, by its own data; 0 where it does not run.
etcd_members() {
  local ca=/etc/kubernetes/pki/etcd
  if ! [[ -f $ca/server.crt ]]; then
    echo 0
    return
  fi
  curl --silent --max-time 5 --cacert $ca/ca.crt --cert $ca/server.crt --key $ca/server.key \
    --request POST --data '{}' https://127.0.0.1:2379/v3/cluster/member/list 2>/dev/null |
    jq '.members | length' 2>/dev/null || echo 0
}
