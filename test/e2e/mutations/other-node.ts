import { accessProof } from "../../../verify/proofs/access.ts";
import { addressPoolsProof } from "../../../verify/proofs/address-pools.ts";
import { certificatesProof } from "../../../verify/proofs/certificates.ts";
import { cpuProof } from "../../../verify/proofs/cpu.ts";
import { credentialsProof } from "../../../verify/proofs/credentials.ts";
import { deniedCallProof } from "../../../verify/proofs/denied-call.ts";
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
import { packetLossProof } from "../../../verify/proofs/packet-loss.ts";
import { podSubnetsProof } from "../../../verify/proofs/pod-subnets.ts";
import { reversePathProof } from "../../../verify/proofs/reverse-path.ts";
import { serviceAccountsProof } from "../../../verify/proofs/service-accounts.ts";
import { sysctlsProof } from "../../../verify/proofs/sysctls.ts";
import { waitFor } from "../../lab/shell.ts";
import { busyCpus } from "./busy-cpus.ts";
import { admin, type Batch, inAgent, on, onPort, withObjects, withPatch } from "./mutation.ts";
import { everything, node, openNamespace, pool, takenKind } from "./objects.ts";

const kubeadm = "kubeadm token --kubeconfig /etc/kubernetes/admin.conf";
const policy = "mutatingadmissionpolicy oslo-cluster-default-service-accounts --type json --patch";

/** The same promises broken in other ways, on cp-1. */
export const otherNode: Batch = {
  name: "the other node's state, other ways of the same",
  mutations: [
    {
      name: "a policy on default service accounts that leaves a namespace out",
      breaks: [
        { proof: serviceAccountsProof, reading: /omitted: its default service account mounts/ },
      ],
      ...openNamespace(
        "omitted",
        `${admin} patch ${policy} '[{"op":"add","path":"/spec/matchConditions/-","value":{"name":"mutant","expression":"object.metadata.namespace != \\"omitted\\""}}]'`,
        `${admin} patch ${policy} '[{"op":"remove","path":"/spec/matchConditions/1"}]'`,
      ),
    },
    {
      name: "a control plane on which nobody approves kubelets' certificates",
      breaks: [{ proof: kubeletCertificatesProof, reading: /^cp-1: its approver does not run$/ }],
      ...on(
        "cp-1",
        "systemctl stop oslo-cluster-kubelet-approver",
        "systemctl start oslo-cluster-kubelet-approver",
      ),
    },
    {
      name: "CPUs that are eaten by interrupts",
      breaks: [{ proof: cpuProof, reading: /^cp-1 cpu0: softirq 9\d.* %, allowed 90 %/ }],
      ...busyCpus("cp-1", "softirq"),
    },
    {
      name: "a runtime that is no longer held",
      breaks: [
        { proof: packagesProof, reading: /^cp-1: containerd\.io=\S+ is not installed and held$/ },
      ],
      ...on("cp-1", "apt-mark unhold containerd.io", "apt-mark hold containerd.io"),
    },
    {
      name: "a scheduler that runs with a former certificate, and no timer that would see it",
      breaks: [
        {
          proof: certificatesProof,
          reading:
            /^cp-1: its timer does not run; cp-1: kube-scheduler runs with a former certificate$/,
        },
      ],
      ...on(
        "cp-1",
        "systemctl stop oslo-cluster-certificates.timer && stat -c @%Y /etc/kubernetes/scheduler.conf >/run/mutant && touch /etc/kubernetes/scheduler.conf",
        'touch -d "$(cat /run/mutant)" /etc/kubernetes/scheduler.conf && rm /run/mutant && systemctl start oslo-cluster-certificates.timer',
      ),
    },
    {
      name: "another parameter changed by hand, on the control plane",
      breaks: [{ proof: sysctlsProof, reading: /^cp-1: net\.ipv4\.tcp_tw_reuse is 0, expected 1/ }],
      ...on("cp-1", "sysctl -qw net.ipv4.tcp_tw_reuse=0", "sysctl -qw net.ipv4.tcp_tw_reuse=1"),
    },
    {
      name: "kube-proxy's table in nftables",
      breaks: [{ proof: kubeProxyProof, reading: /^cp-1: 1 in nft list ruleset$/ }],
      ...on("cp-1", "nft add table ip6 kube-proxy", "nft delete table ip6 kube-proxy"),
    },
    {
      name: "another vxlan device",
      breaks: [{ proof: overlayProof, reading: /^cp-1: mutant$/ }],
      ...on(
        "cp-1",
        "ip link add mutant type vxlan id 4712 dstport 4790 dev eth0",
        "ip link delete mutant",
      ),
    },
    {
      name: "a strict rp_filter on Cilium's own device",
      breaks: [{ proof: reversePathProof, reading: /^cp-1: cilium_host is strict/ }],
      ...on(
        "cp-1",
        "sysctl -qw net.ipv4.conf.cilium_host.rp_filter=1",
        "sysctl -qw net.ipv4.conf.cilium_host.rp_filter=0",
      ),
    },
    {
      name: "no name server",
      breaks: [{ proof: dnsProof, reading: /./ }],
      async make({ kubectl }) {
        await kubectl("-n", "kube-system", "scale", "deployment/coredns", "--replicas=0");
        // One that is ending still answers.
        const pods = ["get", "pods", "-l", "k8s-app=kube-dns", "-o", "name"];
        await waitFor("the name server to end", 120, async () => {
          return (await kubectl("-n", "kube-system", ...pods)) === "";
        });
      },
      async undo({ kubectl }) {
        await kubectl("-n", "kube-system", "scale", "deployment/coredns", "--replicas=2");
        await kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns");
      },
    },
    {
      name: "a pool that gives no addresses",
      breaks: [
        { proof: addressPoolsProof, reading: /public/ },
        { proof: l2AnnouncementsProof, reading: /public: no address to announce/ },
      ],
      ...withPatch(pool, { op: "add", path: "/spec/disabled", value: true }),
    },
    {
      name: "Hubble's socket taken from a living agent",
      breaks: [{ proof: deniedCallProof, reading: /Hubble could not be asked: worker-1/ }],
      make: (lab) => inAgent(lab, "mv /var/run/cilium/hubble.sock /var/run/cilium/hubble.gone"),
      undo: (lab) => inAgent(lab, "mv /var/run/cilium/hubble.gone /var/run/cilium/hubble.sock"),
    },
    {
      name: "two nodes with one share",
      breaks: [
        { proof: nodesProof, reading: /twin-1 is a node, .*twin-2 is a node/ },
        { proof: podSubnetsProof, reading: /10\.244\.251\.0\/24 belongs to two nodes/ },
      ],
      ...withObjects(
        ...["twin-1", "twin-2"].map((name) => node(name, "10.244.251.0/24", "fd00:10:244:fb::/64")),
      ),
    },
    {
      name: "a program's account that may do everything",
      breaks: [
        {
          proof: accessProof,
          reading:
            /^ServiceAccount:default\/default may do everything \(ClusterRoleBinding mutant\)$/,
        },
      ],
      ...withObjects(everything("ServiceAccount", "default")),
    },
    {
      name: "a token that lasts a day",
      breaks: [
        {
          proof: credentialsProof,
          reading: /^kube-system\/bootstrap-token-abcdef: a bootstrap token that ends at /,
        },
      ],
      ...on(
        "cp-1",
        `${kubeadm} create abcdef.0123456789abcdef --ttl 24h`,
        `${kubeadm} delete abcdef`,
      ),
    },
    {
      name: "a node's own firewall in front of the exchange",
      breaks: [{ proof: nixProof, reading: /^cp-1: no answer from 10\.10\.0\.1$/ }],
      ...on(
        "cp-1",
        "iptables -A OUTPUT -d 10.10.0.1 -p icmp --icmp-type echo-request -j DROP",
        "iptables -D OUTPUT -d 10.10.0.1 -p icmp --icmp-type echo-request -j DROP",
      ),
    },
    {
      name: "a port that loses one answer in five",
      breaks: [
        {
          proof: packetLossProof,
          reading: /^worker-1 → cp-1 10\.10\.0\.11: \d\d?(\.\d)? % lost, allowed 0\.5 %$/,
        },
      ],
      ...onPort("cp-1", "one echo answer in five"),
    },
    {
      name: "a CRD whose kind another one has taken",
      breaks: [{ proof: gatewayCrdsProof, reading: /^tlsroutes\S+ is not established$/ }],
      ...takenKind(),
    },
    {
      name: "a class whose parameters are not there",
      breaks: [{ proof: gatewayStatusProof, reading: /^GatewayClass cilium is not Accepted: / }],
      ...withPatch(["gatewayclass", "cilium"], {
        op: "add",
        path: "/spec/parametersRef",
        value: {
          ...{ group: "cilium.io", kind: "CiliumGatewayClassConfig" },
          ...{ name: "nothing", namespace: "default" },
        },
      }),
    },
    {
      name: "a route to a listener that the gateway has not got",
      breaks: [{ proof: routeStatusProof, reading: /is not Accepted: / }],
      ...withPatch(["-n", "finance", "httproute", "payment-processor"], {
        op: "add",
        path: "/spec/parentRefs/0/sectionName",
        value: "nothing",
      }),
    },
  ],
};
