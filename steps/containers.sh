# shellcheck shell=bash
# Containers by the runtime's word, for steps and for proofs. Any pod may name a process as it likes; these
# labels are the kubelet's own, and only who may write to kube-system gets them.

# Prints the ids of the running containers of a name in kube-system; fails where the runtime does not answer.
system_containers() {
  local made tasks
  made=$(ctr --namespace k8s.io containers list --quiet \
    "labels.\"io.cri-containerd.kind\"==container,labels.\"io.kubernetes.pod.namespace\"==kube-system,labels.\"io.kubernetes.container.name\"==$1") || return
  tasks=$(ctr --namespace k8s.io tasks list) || return
  comm -12 <(sort <<<"$made") <(awk '$3 == "RUNNING" { print $1 }' <<<"$tasks" | sort) | sed '/^$/d'
}

# Prints the process ids of the same.
system_processes() {
  local ids
  ids=$(system_containers "$1") || return
  [[ -z $ids ]] || ctr --namespace k8s.io tasks list | awk -v ids="$ids" 'BEGIN { split(ids, list, "\n"); for (i in list) ours[list[i]] } $1 in ours { print $2 }'
}

# Copies programs out of an image that is on this machine: from_image IMAGE DIRECTORY PROGRAM...
from_image() {
  local image=$1 directory=$2 mount
  shift 2
  mount=$(mktemp -d)
  ctr --namespace k8s.io images mount "$image" "$mount" >/dev/null || die "image $image is not on $(hostname); pull it: crictl pull $image"
  (cd "$mount/usr/local/bin" && cp "$@" "$directory/")
  ctr --namespace k8s.io images unmount --rm "$mount" >/dev/null
  rmdir "$mount" 2>/dev/null || true
  (cd "$directory" && chmod 0755 "$@")
}
