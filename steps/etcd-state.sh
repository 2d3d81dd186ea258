#!/usr/bin/env bash
# Prints what this machine's own member of etcd is: voter, learner, silent or lost. Exit 3: it is no control plane.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
# shellcheck source=steps/etcd.sh
source "${BASH_SOURCE[0]%/*}/etcd.sh"
[[ -f $state/cluster && -d $etcd_pki ]] || exit 3
etcd_state
