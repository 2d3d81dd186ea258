# shellcheck shell=bash
# The kubelet's serving certificate, which the cluster's CA signs once an approver has compared it with the plan.
# Sourced after lib.sh, with NODE and SERVING_NAMES set.

serving=/var/lib/kubelet/pki/kubelet-server-current.pem

serving_certificate() { openssl verify -CAfile /etc/kubernetes/pki/ca.crt -purpose sslserver "$serving" 2>&1; }

# For a node that is a member already and served a certificate of its own making until now: a kubelet that waits for
# its first one answers no logs and no exec. So it is asked for before the kubelet restarts.
first_serving_certificate() {
  local pair request
  [[ ! -e $serving ]] || return 0
  say "ask for a serving certificate ($SERVING_NAMES)"
  pair=${serving%-current.pem}-$(date --utc +%Y-%m-%d-%H-%M-%S).pem
  (umask 077 && openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout "$WORK/serving.key" \
    -subj "/O=system:nodes/CN=system:node:$NODE" -addext "subjectAltName=$SERVING_NAMES" -out "$WORK/serving.csr" 2>/dev/null)
  request=$(jq --null-input --rawfile request "$WORK/serving.csr" '{
      apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: {generateName: "csr-"},
      spec: {signerName: "kubernetes.io/kubelet-serving", usages: ["digital signature", "server auth"], request: ($request | @base64)}
    }' | as_kubelet create --filename - --output name)
  wait_until 900 "an approver on a control plane signs $request" signed "$request"
  (umask 077 && signed "$request" | cat - "$WORK/serving.key" >"$pair.new")
  rm "$WORK/serving.key" "$WORK/serving.csr"
  mv "$pair.new" "$pair"
  ln --symbolic "$pair" "$serving"
}

signed() {
  local certificate
  certificate=$(as_kubelet get "$1" --output jsonpath='{.status.certificate}{.status.conditions}') || return
  [[ -n $certificate && $certificate != '['* ]] || { echo "${certificate:-no answer yet}" && return 1; }
  base64 --decode <<<"${certificate%%'['*}"
}

as_kubelet() { kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout 20s "$@"; }
