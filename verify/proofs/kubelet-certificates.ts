import { hostPort } from "../../config/cidr.ts";
import { askEach, type Cluster, containersFunction, controlPlanes } from "../cluster.ts";
import { expectNothing, type Proof } from "../proof.ts";

/** A kubelet rotates its certificate when 10 to 30 % of its life are left. */
const leastLeft = 0.08;

export const kubeletCertificatesProof: Proof = {
  promise: "Every kubelet shows a certificate of the cluster's CA, and the API servers ask for it",
  proof: `from every control plane each kubelet is asked by TLS at each of its addresses: the chain ends at the cluster's CA, the address is the certificate's, and more than ${leastLeft * 100} % of its life are left; every kube-apiserver that runs has --kubelet-certificate-authority; the approver runs`,
  fix: "`journalctl -u oslo-cluster-kubelet-approver` on the control planes, and `kubectl get csr`: a request that is denied or left says why",
  async prove(cluster) {
    const answers = await askEach(controlPlanes(cluster), (name) =>
      cluster.onNode(name, question(cluster)),
    );
    const found: string[] = [];
    let days = Number.POSITIVE_INFINITY;
    for (const one of answers) {
      if ("problem" in one) {
        found.push(`${one.of}: ${one.problem}`);
        continue;
      }
      const plane = one.of;
      const lines = one.answer.split("\n").filter(Boolean).sort();
      found.push(
        ...lines.filter((line) => !line.startsWith("shown ")).map((line) => `${plane}: ${line}`),
      );
      const shown = lines.filter((line) => line.startsWith("shown ")).map(shownBy);
      for (const { node, address, left, life } of shown) {
        days = Math.min(days, left / 86_400);
        if (left >= leastLeft * life) continue;
        found.push(`${node} ${address}: ends in ${(left / 3600).toFixed(1)} h and was not rotated`);
      }
      const asked = cluster.plan.nodes.flatMap(({ addresses }) => addresses).length;
      if (shown.length < asked && shown.length === lines.length)
        found.push(`${plane}: only ${shown.length} of ${asked} addresses were asked`);
    }
    return expectNothing(
      [...new Set(found)],
      `${cluster.nodes.length} kubelets asked by ${answers.length} control planes; at least ${Math.floor(days)} days left`,
    );
  },
};

/** `shown NODE ADDRESS SECONDS-LEFT SECONDS-OF-LIFE` */
function shownBy(line: string) {
  const [, node = "", address = "", left = "", life = ""] = line.split(" ");
  return { node, address, left: Number(left), life: Number(life) };
}

/** Prints a line for each certificate that holds, and one for each thing that does not. */
function question({ plan }: Cluster): string {
  const kubelets = plan.nodes.flatMap(({ name, addresses }) =>
    addresses.map((address) => `${name} ${address} ${hostPort(address, 10250)}`),
  );
  return `${containersFunction}
shown() {
  answer=$(timeout 10 openssl s_client -connect "$3" -CAfile /etc/kubernetes/pki/ca.crt -verify_ip "$2" -verify_return_error </dev/null 2>&1) || {
    why=$(sed -n 's/^verify error:num=[0-9]*://p; s/.*\\(Connection refused\\|No route to host\\|alert internal error\\).*/\\1/p' <<<"$answer" | head -n 1)
    echo "$1 $2 shows no certificate of the cluster's CA for this address: \${why:-no answer}"
    return
  }
  at() { date --date "$(openssl x509 -noout "-$1" <<<"$answer" | cut -d= -f2)" +%s; }
  from=$(at startdate) to=$(at enddate)
  echo "shown $1 $2 $((to - $(date +%s))) $((to - from))"
}
export -f shown
printf '%s\\n' '${kubelets.join("' '")}' | xargs -P 8 -L 1 bash -c 'shown "$@"' kubelet
running=$(system_processes kube-apiserver)
[ -n "$running" ] || echo 'no kube-apiserver runs'
for process in $running; do
  tr '\\0' '\\n' <"/proc/$process/cmdline" | grep -qx -- '--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt' ||
    echo 'its API server does not verify kubelets'
done
systemctl is-active --quiet oslo-cluster-kubelet-approver || echo 'its approver does not run'`;
}
