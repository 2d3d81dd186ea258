#!/usr/bin/env bash
# Renews certificates of this control plane before they end, and restarts what runs with former ones: one component at
# a time, one control plane at a time, while the others are healthy. A timer's unit runs it. What is to be done is read
# from disk and from what runs, so that it may be killed anywhere and be run again. A clock that is ahead does no harm:
# kubeadm dates certificates from their CA's beginning.
#
#   renew-certificates.sh        those that end within RENEW_BEFORE seconds; below a quarter of it nobody is waited for
#   renew-certificates.sh now    all of them
#   renew-certificates.sh list   seconds left and path of each, a line each, and what runs with a former one
set -euo pipefail
shopt -s inherit_errexit
library=${BASH_SOURCE[0]%/*}
# shellcheck source=steps/lib.sh
source "$library/lib.sh"
# shellcheck source=steps/containers.sh
source "$library/containers.sh"
# shellcheck source=steps/etcd.sh
source "$library/etcd.sh"
# shellcheck source=steps/turn.sh
source "$library/turn.sh"
# shellcheck source=steps/certificates.sh
source "$library/certificates.sh"
# shellcheck source=steps/renewal-turn.sh
source "$library/renewal-turn.sh"
# What ctr has to say of the machine's cgroups, at each call.
export CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS=1
pki=/etc/kubernetes/pki
stage=/etc/kubernetes/renewing
config=/etc/oslo-cluster/kubeadm-init.yaml

main() {
  local component name processes work=() sick=()
  everything=${1:-}
  if [[ $everything == list ]]; then
    list_certificates
    return
  fi
  [[ -f $state/cluster ]] || exit 0
  only_one "$state/renewal.lock" 600 "another run has been renewing certificates on $(hostname), or applying a changed configuration, for 10 minutes: run again when it has ended"
  rm -rf "$stage"
  heal
  is_urgent=$(urgent)
  for component in "${components[@]}"; do
    processes=$(system_processes "$component")
    # shellcheck disable=SC2086 # words
    if [[ -n $(due "$component") ]] || runs_with_former "$component" $processes; then work+=("$component"); fi
  done
  if ((${#work[@]} == 0)); then
    say "no certificate ends within $((RENEW_BEFORE / 3600)) h"
    return
  fi
  take_renewal_turn || return 0
  trap end_turn EXIT
  trap 'exit 143' TERM
  for component in "${work[@]}"; do
    others_first "$component"
    processes=$(system_processes "$component")
    for name in $(due "$component"); do renew "$name"; done
    # shellcheck disable=SC2086 # words
    if runs_with_former "$component" $processes; then restart "$component" $processes; fi
    # What did not run before is not waited for.
    if [[ -z $processes ]] || (wait_until 180 "$component is healthy" healthy "$component"); then continue; fi
    # Where all have ended, etcd has no quorum until the others have renewed too.
    [[ -n $is_urgent ]] || exit 1
    sick+=("$component")
  done
  ((${#sick[@]} == 0)) || die "certificates are renewed on $(hostname), and these are not healthy: ${sick[*]}"
  say "certificates are renewed on $NODE"
}

# A certificate beside another key, which a run that was killed has left: nothing works that reads it again.
heal() {
  local component name
  for component in "${components[@]}"; do
    for name in $(certificates_of "$component"); do
      paired "$(path_of "$name")" || renew "$name"
    done
  done
}

# Says yes where certificates would end before a person comes.
urgent() {
  local component name
  for component in "${components[@]}"; do
    for name in $(certificates_of "$component"); do
      ends_within "$name" $((RENEW_BEFORE / 4)) && echo yes && return
    done
  done
  return 0
}

ends_within() {
  local left
  left=$(left_of "$(certificate_in "$(path_of "$1")")")
  ((left < $2))
}

# The certificates of a component that are to be renewed.
due() {
  local name
  for name in $(certificates_of "$1"); do
    if [[ $everything == now ]] || ends_within "$name" "$RENEW_BEFORE"; then echo "$name"; fi
  done
}

# Its manifest stays where it is, so the kubelet starts the container again at once, whatever becomes of this run.
restart() {
  local process
  say "restart $1"
  for process in "${@:2}"; do
    kill "$process" || continue # it has just ended
    timeout 30 tail --follow --pid="$process" /dev/null || kill -KILL "$process" || true
  done
}

# Made beside the living ones, and put in their place whole: kubeadm writes into files that are being read.
renew() {
  local name=$1 path new files
  say "renew $name"
  path=$(path_of "$name") new=$stage/$name
  mkdir -m 0700 "$stage"
  if [[ $name == *.conf ]]; then
    kubeadm init phase kubeconfig "${name%.conf}" --config "$config" --kubeconfig-dir "$stage" >/dev/null
    files=("$new")
  else
    cp --archive "$pki" "$stage/pki"
    sed "/^certificatesDir:/d; s#^kind: ClusterConfiguration\$#&\ncertificatesDir: $stage/pki#" "$config" >"$stage/config.yaml"
    kubeadm certs renew "$name" --config "$stage/config.yaml" >/dev/null
    new=$stage/pki${path#"$pki"}
    files=("$new.key" "$new.crt")
  fi
  { paired "$new" && (($(left_of "$(certificate_in "$new")") > 0)); } || die "kubeadm made no valid certificate for $name"
  sync "${files[@]}"
  mv "${files[@]}" "${path%/*}"
  rm -rf "$stage"
}

healthy() {
  case $1 in
    etcd) etcd_healthy https://127.0.0.1:2379 ;;
    kube-apiserver) curl --fail --silent --max-time 5 --output /dev/null --cacert $pki/ca.crt "$READYZ" && balanced "$NODE" ;;
    kube-controller-manager) curl --fail --silent --insecure --max-time 5 --output /dev/null https://127.0.0.1:10257/healthz ;;
    kube-scheduler) curl --fail --silent --insecure --max-time 5 --output /dev/null https://127.0.0.1:10259/healthz ;;
  esac
}

main "$@"
