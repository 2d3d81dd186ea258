import { accessProof } from "../../../verify/proofs/access.ts";
import { addressPoolsProof } from "../../../verify/proofs/address-pools.ts";
import { bgpProof } from "../../../verify/proofs/bgp.ts";
import { certificatesProof } from "../../../verify/proofs/certificates.ts";
import { cpuProof } from "../../../verify/proofs/cpu.ts";
import { credentialsProof } from "../../../verify/proofs/credentials.ts";
import { dnsProof } from "../../../verify/proofs/dns.ts";
import { gatewayCrdsProof } from "../../../verify/proofs/gateway-crds.ts";
import { gatewayStatusProof, routeStatusProof } from "../../../verify/proofs/gateway-status.ts";
import { kubeProxyProof } from "../../../verify/proofs/kube-proxy.ts";
import { kubeletCertificatesProof } from "../../../verify/proofs/kubelet-certificates.ts";
import { l2AnnouncementsProof } from "../../../verify/proofs/l2-announcements.ts";
import { nixProof } from "../../../verify/proofs/nix.ts";
import { nodesProof } from "../../../verify/proofs/nodes.ts";
import { overlayProof } from "../../../verify/proofs/overlay.ts";
import { packagesProof } from "../../../verify/proofs/packages.ts";
import { podSubnetsProof } from "../../../verify/proofs/pod-subnets.ts";
import { podTrafficProof } from "../../../verify/proofs/pod-traffic.ts";
import { reversePathProof } from "../../../verify/proofs/reverse-path.ts";
import { secretsAtRestProof } from "../../../verify/proofs/secrets-at-rest.ts";
import { serviceAccountsProof } from "../../../verify/proofs/service-accounts.ts";
import { sysctlsProof } from "../../../verify/proofs/sysctls.ts";
import { ensureRouter, stopRouter } from "../../lab/router.ts";
import { busyCpus } from "./busy-cpus.ts";
import {
  admin,
  type Batch,
  type Change,
  on,
  onPort,
  withObjects,
  withoutObject,
  withPatch,
} from "./mutation.ts";
import { everything, gateway, node, openNamespace, pool } from "./objects.ts";

/** Waits until a kubelet that was restarted answers by TLS again. */
const kubeletAnswers =
  "curl -sk -o /dev/null --retry 60 --retry-delay 1 --retry-connrefused https://127.0.0.1:10250/healthz";

/** What a person or a program changes on worker-1, and what the cluster announces. */
export const oneNode: Batch = {
  name: "one node's own state, and what the cluster announces",
  mutations: [
    {
      name: "a package that is no longer held",
      breaks: [
        { proof: packagesProof, reading: /^worker-1: kubelet=\S+ is not installed and held$/ },
      ],
      ...on("worker-1", "apt-mark unhold kubelet", "apt-mark hold kubelet"),
    },
    {
      name: "a parameter changed by hand",
      breaks: [
        {
          proof: sysctlsProof,
          reading: /^worker-1: net\.ipv4\.tcp_fin_timeout is 60, expected 15/,
        },
      ],
      ...on(
        "worker-1",
        "sysctl -qw net.ipv4.tcp_fin_timeout=60",
        "sysctl -qw net.ipv4.tcp_fin_timeout=15",
      ),
    },
    {
      name: "a namespace made while the policy on default service accounts is away",
      breaks: [
        { proof: serviceAccountsProof, reading: /mutant: its default service account mounts/ },
      ],
      ...openNamespace(
        "mutant",
        `${admin} delete mutatingadmissionpolicybinding oslo-cluster-default-service-accounts`,
        `${admin} apply --server-side -f /etc/oslo-cluster/service-accounts.yaml`,
      ),
    },
    {
      name: "a machine whose CPUs the hypervisor gives to others",
      breaks: [{ proof: cpuProof, reading: /^worker-1 cpu0: steal 9\d.* %, allowed 90 %/ }],
      ...busyCpus("worker-1", "steal"),
    },
    {
      name: "a control plane whose certificates nobody renews",
      breaks: [{ proof: certificatesProof, reading: /^cp-1: its timer does not run$/ }],
      ...on(
        "cp-1",
        "systemctl stop oslo-cluster-certificates.timer",
        "systemctl start oslo-cluster-certificates.timer",
      ),
    },
    {
      name: "a rotation of the encryption key that was left half done",
      breaks: [{ proof: secretsAtRestProof, reading: /^cp-1: keys in use: key\d+,key99$/ }],
      ...on(
        "cp-1",
        "cp -a /etc/kubernetes/encryption/config.yaml /run/former-keys.yaml && bash /usr/local/lib/oslo-cluster/encryption.sh make key99",
        "mv /run/former-keys.yaml /etc/kubernetes/encryption/config.yaml",
      ),
    },
    {
      name: "a rule of kube-proxy in iptables",
      breaks: [{ proof: kubeProxyProof, reading: /^worker-1: .*iptables-save/ }],
      ...on(
        "worker-1",
        "iptables -t nat -N KUBE-SERVICES && iptables -t nat -A OUTPUT -j KUBE-SERVICES",
        "iptables -t nat -D OUTPUT -j KUBE-SERVICES && iptables -t nat -X KUBE-SERVICES",
      ),
    },
    {
      name: "a vxlan device",
      breaks: [{ proof: overlayProof, reading: /^worker-1: mutant$/ }],
      ...on(
        "worker-1",
        "ip link add mutant type vxlan id 4711 dstport 4790 dev eth0",
        "ip link delete mutant",
      ),
    },
    {
      name: "a strict rp_filter on the VLAN's interface",
      breaks: [{ proof: reversePathProof, reading: /^worker-1: eth0 is strict/ }],
      ...on(
        "worker-1",
        "sysctl -qw net.ipv4.conf.eth0.rp_filter=1",
        "sysctl -qw net.ipv4.conf.eth0.rp_filter=0",
      ),
    },
    {
      name: "a super-admin.conf",
      breaks: [
        { proof: credentialsProof, reading: /worker-1: \/etc\/kubernetes\/super-admin\.conf/ },
      ],
      ...on(
        "worker-1",
        "touch /etc/kubernetes/super-admin.conf",
        "rm /etc/kubernetes/super-admin.conf",
      ),
    },
    {
      name: "a kubelet that shows a certificate of its own making",
      breaks: [
        {
          proof: kubeletCertificatesProof,
          reading: /^cp-1: worker-1 10\.10\.0\.12 shows no certificate of the cluster's CA/,
        },
      ],
      ...on(
        "worker-1",
        `echo '{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","serverTLSBootstrap":false}' >/etc/kubernetes/kubelet.conf.d/90-mutant.conf && systemctl restart kubelet && ${kubeletAnswers}`,
        `rm -f /etc/kubernetes/kubelet.conf.d/90-mutant.conf && systemctl restart kubelet && ${kubeletAnswers}`,
      ),
    },
    {
      name: "an exchange that does not answer one node",
      breaks: [{ proof: nixProof, reading: /^worker-1: no answer from 10\.10\.0\.1$/ }],
      ...onPort("worker-1", "echo requests to the router"),
    },
    {
      name: "no policy that announces addresses",
      breaks: [{ proof: l2AnnouncementsProof, reading: /no node has taken its service's lease/ }],
      ...withoutObject("ciliuml2announcementpolicies.cilium.io", "default"),
    },
    {
      name: "a router that is gone",
      breaks: [
        { proof: bgpProof, reading: / \(10\.10\.0\.1, AS 64500\) is (idle|connect|active)/ },
      ],
      make: stopRouter,
      undo: ensureRouter,
    },
    {
      name: "a node that is not of the stack, of one family",
      breaks: [
        { proof: nodesProof, reading: /stray is a node, and not of the stack/ },
        { proof: podSubnetsProof, reading: /^stray has 10\.244\.250\.0\/24$/ },
      ],
      ...withObjects(node("stray", "10.244.250.0/24")),
    },
    {
      name: "everybody may do everything",
      breaks: [
        {
          proof: accessProof,
          reading:
            /anyone without a credential may \* \* .*Group:system:unauthenticated may do everything/s,
        },
      ],
      ...withObjects(everything("Group", "system:unauthenticated")),
    },
    {
      name: "a name server that a policy lets nobody ask",
      breaks: [{ proof: dnsProof, reading: /[1-9]\d* of \d+ lost/ }],
      ...withObjects({
        apiVersion: "cilium.io/v2",
        kind: "CiliumNetworkPolicy",
        metadata: { name: "mutant", namespace: "kube-system" },
        spec: {
          endpointSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          ingress: [{ fromEntities: ["host"] }],
        },
      }),
    },
    {
      name: "a pool of other addresses than the stack's",
      breaks: [
        { proof: addressPoolsProof, reading: /10\.10\.0\.23\d was given, and is in no pool/ },
      ],
      ...withPatch(pool, {
        op: "replace",
        path: "/spec/blocks",
        value: [
          { start: "10.10.0.230", stop: "10.10.0.239" },
          { start: "fd00:10:10::230", stop: "fd00:10:10::239" },
        ],
      }),
    },
    {
      name: "a port that drops large packets of pods",
      breaks: [
        { proof: podTrafficProof, reading: /cp-1 10\.244\S+: only packets below 1500 bytes pass/ },
      ],
      ...onPort("cp-1", "pods' large packets"),
    },
    {
      name: "a CRD that was deleted",
      breaks: [{ proof: gatewayCrdsProof, reading: /^grpcroutes\S+ is not established$/ }],
      ...withoutObject("crd", "grpcroutes.gateway.networking.k8s.io"),
    },
    {
      name: "a listener whose certificate is not there",
      breaks: [
        {
          proof: gatewayStatusProof,
          reading: /listener tls, is not Accepted: .*"nothing" not found/,
        },
      ],
      ...withPatch(gateway, {
        op: "add",
        path: "/spec/listeners/-",
        value: {
          ...{ name: "tls", port: 443, protocol: "HTTPS", hostname: "mutant.example.no" },
          tls: { certificateRefs: [{ name: "nothing" }] },
        },
      }),
    },
    {
      name: "a route to a service that is gone",
      breaks: [
        { proof: routeStatusProof, reading: /is not ResolvedRefs: .*payment-service-canary/ },
      ],
      ...routeWithoutBackend(),
    },
  ],
};

/** The route itself is as it was: that it is read again nothing shows but its condition. */
function routeWithoutBackend(): Change {
  const { make, undo } = withoutObject("-n", "finance", "service", "payment-service-canary");
  const resolved = '{.status.parents[0].conditions[?(@.type=="ResolvedRefs")].status}';
  const seen = ["wait", "httproute/payment-processor", `--for=jsonpath=${resolved}=False`];
  return {
    async make(lab) {
      await make(lab);
      await lab.kubectl("-n", "finance", ...seen, "--timeout=120s");
    },
    undo,
  };
}
