# shellcheck shell=bash
# A control plane: joins the cluster that its peers have, or makes one where none of them has. Neither kubeadm init
# nor join is atomic or repeatable, so states are distinguished: nothing there yet: init or join. A part of our own there:
# reset and again. A living member: refuse what cannot change, apply the rest. Anything else is somebody's: stop.
# shellcheck source=steps/containers.sh
source "${BASH_SOURCE[0]%/*}/containers.sh"
# shellcheck source=steps/static-pods.sh
source "${BASH_SOURCE[0]%/*}/static-pods.sh"
# shellcheck source=steps/etcd.sh
source "${BASH_SOURCE[0]%/*}/etcd.sh"
# shellcheck source=steps/private-etcd.sh
source "${BASH_SOURCE[0]%/*}/private-etcd.sh"

init_document=/etc/oslo-cluster/kubeadm-init.yaml
encryption=/etc/kubernetes/encryption/config.yaml
kubelet_conf=/etc/kubernetes/kubelet.conf

check() {
  files_drift
  if [[ ! -f $state/cluster ]]; then
    echo "it is not a control plane yet"
    return
  fi
  healthy || echo "the API server at $READYZ is not ready"
  # shellcheck disable=SC2086 # words
  irreparable || etcd_alone $PEERS
  systemctl is-active --quiet kubelet || echo "kubelet is not running"
  grep -qx " *server: $BALANCER" $kubelet_conf || echo "the kubelet asks one API server alone, and not $BALANCER"
  [[ $(stat --format=%a /var/lib/etcd) == 700 ]] || echo "/var/lib/etcd is open to others than root"
  admin get node "$NODE" >/dev/null 2>&1 || echo "node $NODE is not in the cluster"
  if admin --namespace kube-system get daemonset kube-proxy >/dev/null 2>&1; then
    echo "kube-proxy is back: kubectl -n kube-system delete daemonset,configmap kube-proxy"
  fi
}

# A member that will not answer again, and what to do. Fails where that is not so.
irreparable() {
  local why
  # shellcheck disable=SC2086 # words
  case $(etcd_state) in
    # It does not start again without its data, so it begins no empty cluster: the others have them.
    lost) why="etcd's data are gone from $(hostname): /var/lib/etcd was emptied, or is another disk" ;;
    # A leave that was cut short there.
    silent)
      etcd_let_go "$NODE" $PEERS || return 1
      why="etcd has let $(hostname) go"
      ;;
    *) return 1 ;;
  esac
  echo "$why. Replace the control plane in place: pulumi up --replace URN, with the URN of $NODE-identity from pulumi stack --show-urns"
}

apply() {
  local found
  # A node whose object is gone has left: only the API's own word counts, and then a peer has minted.
  if [[ -f $state/cluster && -z ${TOKEN:-} ]]; then
    if found=$(irreparable); then die "$found"; fi
    reconfigure
  elif [[ -n ${TOKEN:-} ]]; then
    join
  else
    # Said of every run; where it was lost on its way, so was the token of a cluster to join.
    [[ -n ${SILENT+said} ]] ||
      die "no cluster is begun on $(hostname): it was not told what the other control planes answer. Run up again; if this repeats, report it"
    [[ -z ${SILENT:-} ]] ||
      die "$(hostname) cannot tell whether there is a cluster already: no answer from $SILENT. Run again when they answer; for those that are gone for good, run with $ABANDON=${SILENT// /,}"
    [[ -z ${KNOWN:-} ]] ||
      die "no cluster is begun on $(hostname): $KNOWN belongs to one that no control plane has any more. Restore it from a backup; or take its nodes out of the file first, so that they are given back"
    initialize
  fi
  wait_until 240 "API server ready" healthy
  rm -f /etc/kubernetes/super-admin.conf
  chmod 0700 /var/lib/etcd # a disk of its own is mounted open to all
  etcd_remember
  balance_kubelet
  immutables >"$state/cluster.new"
  mv "$state/cluster.new" "$state/cluster"
}

# kubeadm gives the kubelet of a control plane that one's own API server: the node would not be Ready without it.
balance_kubelet() {
  if grep -qx " *server: $BALANCER" $kubelet_conf; then return; fi
  say "the kubelet asks $BALANCER"
  sed "s|^\( *server: \).*|\1$BALANCER|" $kubelet_conf >$kubelet_conf.new
  chmod 0600 $kubelet_conf.new
  mv $kubelet_conf.new $kubelet_conf
  systemctl restart kubelet
}

healthy() { curl --fail --silent --max-time 5 --output /dev/null --cacert /etc/kubernetes/pki/ca.crt "$READYZ"; }

immutables() { sed -n 's/^IMMUTABLE_//p' "$WORK/vars" | sort; }

# Removes what an earlier init or join has left, and nothing that this program did not make.
clean() {
  local trace traces=() kept
  kept=member.kept-$(date --utc +%Y%m%dT%H%M%SZ)
  for trace in /etc/kubernetes/{admin.conf,kubelet.conf,manifests/kube-apiserver.yaml} /var/lib/etcd/member; do
    [[ ! -e $trace ]] || traces+=("$trace")
  done
  ((${#traces[@]} > 0)) || return 0
  [[ -f $state/initializing || -f $state/joining ]] ||
    die "$(hostname) holds a Kubernetes control plane that this program did not make (${traces[*]}); release it with kubeadm reset, or take another machine"
  say "an earlier ${1} did not finish, or the node has left: reset"
  if [[ -d /var/lib/etcd/member ]] && etcd_strange; then
    say "kept: /var/lib/etcd/$kept, which is not what this machine's member had"
    mv /var/lib/etcd/member "/var/lib/etcd/$kept"
  fi
  rm -f "$state/cluster" "$state/etcd-data"
  # Whoever is a member is known from the others' etcd, and was taken out there: this machine's word does not count.
  rm -f /etc/kubernetes/manifests/etcd.yaml
  kubeadm reset --force --skip-phases remove-etcd-member --cri-socket unix:///run/containerd/containerd.sock
  # What was moved aside, here or by a restore, is nowhere else.
  find /var/lib/etcd -mindepth 1 -maxdepth 1 ! -name 'member.before-restore-*' ! -name 'member.kept-*' -exec rm -rf {} +
}

initialize() {
  local members begins=(--ignore-preflight-errors DirAvailable--var-lib-etcd)
  if [[ -d /var/lib/etcd/member ]] && members=$(etcd_members 2>/dev/null); then
    [[ $(wc -l <<<"$members") == 1 ]] ||
      die "an unfinished init on $(hostname) has $(wc -l <<<"$members") etcd members; remove the others by hand before running again"
  fi
  clean init
  date --utc +%FT%TZ >"$state/initializing"
  files_apply
  # etcd's programs are taken from its image before a pod runs it.
  kubeadm config images pull --config "$init_document" >/dev/null
  # After the reset: it empties /etc/kubernetes of some of what the API server needs.
  if [[ -s $state/restore/set/set.json ]]; then
    # A restore has brought a copy: its cluster begins again here, with its own keys, data and addons.
    bash "${BASH_SOURCE[0]%/*}/restore.sh" seed
    begins+=(--skip-phases "addon,show-join-command")
  else
    begin_etcd
  fi
  encryption_key
  systemctl start kubelet || true
  say "kubeadm init"
  # init prints the token that it makes for joins, and keeps it for 24 h. Each join mints its own here.
  kubeadm init --config "$init_document" "${begins[@]}" | sed '/Using token/d'
  admin --namespace kube-system delete secrets --field-selector type=bootstrap.kubernetes.io/token
}

# Makes the data of an etcd with one member. Its static pod says `existing` from its first start on, so that a member
# without its data never begins a cluster of its own; by kubeadm's default that takes a restart after init.
begin_etcd() {
  local image
  say "a new etcd"
  image=$(kubeadm config images list --config "$init_document" | grep '/etcd:')
  # Not in /run, from which nothing is executed on some machines.
  mkdir -p "$state/etcd-begins"
  from_image "$image" "$state/etcd-begins" etcd
  # The token gives each cluster ids of its own, also where names and addresses are the same.
  start_private_etcd "$state/etcd-begins" "$state/etcd-begins/etcd" --name "$NODE" --data-dir /var/lib/etcd \
    --initial-cluster "$NODE=$ETCD_PEER" --initial-advertise-peer-urls "$ETCD_PEER" --initial-cluster-token "$(cat /proc/sys/kernel/random/uuid)" \
    --advertise-client-urls "${ETCD_PEER%:*}:2379"
  wait_until 120 "etcd has begun" begun
  end_private_etcd || die "etcd on $(hostname) ended before it was in use: $(tail -n 3 "$state/etcd-begins/log")"
  rm -rf "$state/etcd-begins"
}

begun() {
  curl --fail --silent --unix-socket "$state/etcd-begins/client" http://etcd/health || { tail -n 3 "$state/etcd-begins/log" && return 1; }
}

# Gives etcd its flags. With the data in place it ignores the initial cluster's: this is one restart.
seal_etcd() {
  local manifest=/etc/kubernetes/manifests/etcd.yaml flag stale=''
  for flag in $ETCD_FLAGS; do
    grep -qxE -- " *- $flag" $manifest || stale+=" $flag"
  done
  [[ -n $stale ]] || return 0
  say "etcd restarts with$stale"
  # Away first: a kubelet that is just starting takes a changed manifest for another pod, which waits for the
  # first one's volumes, and never ends that one.
  rm -f $manifest
  wait_until 180 "etcd stopped" stopped etcd
  kubeadm init phase etcd local --config "$init_document"
  wait_until 180 "etcd answers" etcd_healthy https://127.0.0.1:2379
}

join() {
  clean join
  date --utc +%FT%TZ >"$state/joining"
  files_apply
  (umask 077 && base64 --decode <<<"$SHARED" | tar --extract --no-same-owner --directory /etc/kubernetes)
  join_documents
  say "kubeadm join --control-plane"
  kubeadm join --config "$WORK/join.yaml" --ignore-preflight-errors DirAvailable--var-lib-etcd
  wait_until 120 "etcd's member $NODE votes, and nobody is a learner" voting
}

# As a member itself says, once it has all the others' data.
voting() {
  local members
  members=$(etcd_members) || return
  [[ $members != *$'\t'learner$'\t'* ]] || { echo "a learner: $members" && return 1; }
  etcd_member "$NODE" <<<"$members" | grep -q . || { echo "no member $NODE: $members" && return 1; }
}

# A changed document on a living cluster.
reconfigure() {
  local difference
  difference=$(diff <(immutables) "$state/cluster" | sed -n 's/^< /asked for: /p; s/^> /in use:    /p') || true
  [[ -z $difference ]] ||
    die "a living cluster cannot change this; put the value in use back, or make a new cluster:"$'\n'"$difference"
  # Certificates are not renewed meanwhile.
  only_one "$state/renewal.lock" 1500 "certificates have been in renewal on $(hostname) for 25 minutes; see journalctl -u oslo-cluster-certificates"
  files_apply
  encryption_key
  seal_etcd
  if ! changed && healthy; then return; fi
  say "apply the changed configuration to the control plane"
  rm -f /etc/kubernetes/*.yaml.restarting # of a run that was killed: kubeadm writes the manifests again
  rm -f /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.key
  kubeadm init phase certs apiserver --config "$init_document"
  kubeadm init phase control-plane all --config "$init_document"
  # The kubelet notices a changed manifest; changed policies and certificates it does not.
  restart_static_pod kube-apiserver
  wait_until 240 "API server ready" healthy
  # Not before: an API server that is just starting refuses it.
  wait_until 180 "kubeadm's configuration is in the cluster" kubeadm init phase upload-config all --config "$init_document"
}

# Whether anything changed that this machine's API server reads.
changed() {
  local path
  for path in "${CHANGED[@]}"; do
    case ${path##*/} in kubeadm-join.yaml | kubeadm-discovery.yaml | control-planes | removed-nodes.yaml) ;; *) return 0 ;; esac
  done
  return 1
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
