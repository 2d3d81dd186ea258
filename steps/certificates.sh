# shellcheck shell=bash
# The certificates of this control plane that kubeadm makes, read as they lie on disk. Sourced after lib.sh and
# containers.sh.

# In this order: each is renewed and restarted before the next; what `kubectl` talks to is the last.
components=(etcd kube-controller-manager kube-scheduler admin kube-apiserver)

# kubeadm's names of what a component uses.
certificates_of() {
  case $1 in
    etcd) echo etcd-server etcd-peer etcd-healthcheck-client ;;
    kube-controller-manager) echo controller-manager.conf ;;
    kube-scheduler) echo scheduler.conf ;;
    admin) echo admin.conf ;;
    kube-apiserver) echo apiserver-kubelet-client apiserver-etcd-client front-proxy-client apiserver ;;
  esac
}

# The file that has a certificate, or without its ending the two that have it and its key.
path_of() {
  case $1 in
    *.conf) echo "/etc/kubernetes/$1" ;;
    etcd-*) echo "/etc/kubernetes/pki/etcd/${1#etcd-}" ;;
    *) echo "/etc/kubernetes/pki/$1" ;;
  esac
}

# certificate_in PATH, key_in PATH: in PEM, from a pair of files or out of a kubeconfig.
certificate_in() { case $1 in *.conf) part_of "$1" client-certificate-data ;; *) cat "$1.crt" ;; esac }
key_in() { case $1 in *.conf) part_of "$1" client-key-data ;; *) cat "$1.key" ;; esac }
part_of() { awk -v name="$2:" '$1 == name { print $2 }' "$1" | base64 --decode; }

# Seconds that a certificate still lives; fails where it cannot be read.
left_of() {
  local end
  end=$(openssl x509 -noout -enddate <<<"$1" 2>/dev/null) || return
  echo $(($(date --date "${end#notAfter=}" +%s) - $(date +%s)))
}

# Do a certificate and its key belong together? A run that was killed between two files leaves others.
paired() {
  local certificate key
  certificate=$(certificate_in "$1" 2>/dev/null | openssl x509 -noout -pubkey 2>/dev/null) || return
  key=$(key_in "$1" 2>/dev/null | openssl pkey -pubout 2>/dev/null) || return
  [[ -n $certificate && $certificate == "$key" ]]
}

# Does a component run with a former certificate? runs_with_former COMPONENT PROCESS...
# etcd reads its files at every handshake, so what it shows counts. Kubeconfigs are read at the start alone. An API
# server reads files again, but keeps connections that it has made with a former one, and one of its own making that
# ends a year after its start.
runs_with_former() {
  local component=$1 name path process newest=0 written age shown
  shift
  (($# > 0)) || return 1
  if [[ $component == etcd ]]; then
    # One that is too busy to answer shows none: that is no former one, and no reason to restart it.
    shown=$({ timeout 10 openssl s_client -connect 127.0.0.1:2379 </dev/null 2>/dev/null || true; } | openssl x509 2>/dev/null) || return 1
    [[ $shown != "$(openssl x509 -in "$(path_of etcd-server).crt")" ]]
    return
  fi
  for name in $(certificates_of "$component"); do
    path=$(path_of "$name")
    [[ $name == *.conf ]] || path=$path.crt
    written=$(stat --format %Y "$path")
    ((written <= newest)) || newest=$written
  done
  for process in "$@"; do
    age=$(ps -o etimes= -p "$process") || continue # it has just ended
    (($(date +%s) - age >= newest)) || return 0
  done
  return 1
}

# A line for each certificate, also of the CAs, which kubeadm makes once: the seconds that are left, and its path.
# `broken` in place of the seconds where it does not fit its key. And `former COMPONENT`.
list_certificates() {
  local component name path processes
  for component in "${components[@]}"; do
    for name in $(certificates_of "$component"); do
      path=$(path_of "$name")
      if paired "$path"; then line_of "$(certificate_in "$path")" "$path"; else echo "broken $path"; fi
    done
    processes=$(system_processes "$component")
    # shellcheck disable=SC2086 # words
    ! runs_with_former "$component" $processes || echo "former $component"
  done
  for path in /etc/kubernetes/pki/{ca,front-proxy-ca,etcd/ca}.crt; do
    line_of "$(cat "$path" 2>/dev/null || true)" "$path"
  done
}

line_of() {
  local left
  if left=$(left_of "$1"); then echo "$left $2"; else echo "broken $2"; fi
}
