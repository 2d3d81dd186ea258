# shellcheck shell=bash
# Is the cluster of use? Agents rolled out, every node Ready, DNS answering, Cilium's kinds served.

check() {
  local node
  if [[ $WAIT_FOR == nothing ]]; then return; fi
  for node in $NODES; do
    [[ $(admin get node "$node" --output jsonpath='{.status.conditions[?(@.type=="Ready")].status}' 2>&1) == True ]] ||
      echo "node $node is not Ready"
  done
}

apply() {
  local workload found crd nodes workloads=(daemonset/cilium deployment/cilium-operator deployment/coredns)
  if [[ $WAIT_FOR == nothing ]]; then
    say "cilium.waitFor is nothing: not waited for"
    reading '{"waitedFor":"nothing"}'
    return
  fi
  if [[ $WAIT_FOR == all ]]; then
    for workload in daemonset/cilium-envoy deployment/hubble-relay; do
      found=$(ask_api --request-timeout 20s --namespace kube-system get "$workload" --ignore-not-found --output name)
      workloads+=(${found:+"$workload"})
    done
  fi
  for workload in "${workloads[@]}"; do
    ask_api --namespace kube-system rollout status "$workload" --timeout "${TIMEOUT_SECONDS}s"
  done
  for crd in $CRDS; do
    ask_api wait --for=create --timeout "${TIMEOUT_SECONDS}s" "crd/$crd"
    ask_api wait --for=condition=Established --timeout "${TIMEOUT_SECONDS}s" "crd/$crd"
  done
  read -ra nodes <<<"$NODES"
  ask_api wait --for=condition=Ready --timeout "${TIMEOUT_SECONDS}s" "${nodes[@]/#/node/}"
  reading "{\"waitedFor\":\"$WAIT_FOR\"}"
}
