#!/usr/bin/env bash
# Is this machine a member of the cluster? Exit 3: it is not, or the API itself says that its Node object is gone.
set -euo pipefail
# shellcheck source=steps/lib.sh
source "${BASH_SOURCE[0]%/*}/lib.sh"
[[ -f $state/cluster ]] || exit 3
node=$(sed -n 's/^nodeName=//p' "$state/claim")
if answer=$(kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout 20s get node "$node" 2>&1); then exit 0; fi
# A node that cannot be asked now is no node that was lost: only the API's own word counts.
[[ $answer != *"(NotFound)"* ]] || exit 3
