import type { Proof } from "../../verify/proof.ts";
import { addressPoolsProof } from "../../verify/proofs/address-pools.ts";
import { bgpProof } from "../../verify/proofs/bgp.ts";
import { clientAddressProof } from "../../verify/proofs/client-address.ts";
import { credentialsProof } from "../../verify/proofs/credentials.ts";
import { datagramsProof } from "../../verify/proofs/datagrams.ts";
import { deniedCallProof } from "../../verify/proofs/denied-call.ts";
import { dnsProof } from "../../verify/proofs/dns.ts";
import { dsrProof } from "../../verify/proofs/dsr.ts";
import { kubeProxyProof } from "../../verify/proofs/kube-proxy.ts";
import { kubeletCertificatesProof } from "../../verify/proofs/kubelet-certificates.ts";
import { l2AnnouncementsProof } from "../../verify/proofs/l2-announcements.ts";
import { nixProof } from "../../verify/proofs/nix.ts";
import { overlayProof } from "../../verify/proofs/overlay.ts";
import { packagesProof } from "../../verify/proofs/packages.ts";
import { packetLossProof } from "../../verify/proofs/packet-loss.ts";
import { podTrafficProof } from "../../verify/proofs/pod-traffic.ts";
import { reversePathProof } from "../../verify/proofs/reverse-path.ts";
import { secretsAtRestProof } from "../../verify/proofs/secrets-at-rest.ts";
import { serviceAccountsProof } from "../../verify/proofs/service-accounts.ts";
import { sysctlsProof } from "../../verify/proofs/sysctls.ts";
import { ensureRouter, stopRouter } from "../lab/router.ts";
import { filterPort, type PortFilter } from "../lab/segment.ts";
import type { Lab } from "../lab/verification/proof.ts";

/** Something that breaks promises, and the proofs that must see it. */
export interface Mutation {
  name: string;
  /** Every proof that turns red, and what its reading must name. */
  breaks: readonly { proof: Proof; reading: RegExp }[];
  /** Proofs that it breaks or not, by where the scheduler has put pods. @default none */
  mayBreak?: readonly Proof[];
  make(lab: Lab): Promise<unknown>;
  undo(lab: Lab): Promise<unknown>;
}

/** Mutations that break different promises, so that one `verify` judges them all. */
export interface Batch {
  name: string;
  mutations: readonly Mutation[];
}

type Change = Pick<Mutation, "make" | "undo">;

/** A change on a host, and the command that takes it back. */
function on(host: string, make: string, undo: string): Change {
  return {
    make: ({ onHost }) => onHost(host, make),
    undo: ({ onHost }) => onHost(host, undo),
  };
}

/** The port of the segment that a host is attached to, filtered as a provider's may be. */
function onPort(name: string, filter: PortFilter): Change {
  const set = async ({ facts }: Lab, wanted: PortFilter | undefined) => {
    const host = facts.hosts.find((one) => one.name === name);
    if (host !== undefined) await filterPort(host, wanted, "10.244.0.0/16");
  };
  return { make: (lab) => set(lab, filter), undo: (lab) => set(lab, undefined) };
}

/** Takes objects away and puts them back as they were. */
function withoutObject(...kindAndName: string[]): Change {
  let saved = "";
  return {
    async make({ kubectl }) {
      const object = JSON.parse(await kubectl("get", ...kindAndName, "-o", "json"));
      const { name, namespace, labels, annotations } = object.metadata;
      object.metadata = { name, namespace, labels, annotations };
      delete object.status;
      saved = JSON.stringify(object);
      await kubectl("delete", ...kindAndName);
    },
    // Nothing to put back where nothing was taken away.
    undo: async ({ onHost }) =>
      saved && onHost("cp-1", `${admin} create -f - <<'END'\n${saved}\nEND`),
  };
}

/** Waits until a kubelet that was restarted answers by TLS again. */
const kubeletAnswers =
  "curl -sk -o /dev/null --retry 60 --retry-delay 1 --retry-connrefused https://127.0.0.1:10250/healthz";

const admin = "kubectl --kubeconfig /etc/kubernetes/admin.conf";

export const batches: readonly Batch[] = [
  {
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
        ...on(
          "cp-1",
          `${admin} delete mutatingadmissionpolicybinding oslo-cluster-default-service-accounts && ${admin} create namespace mutant && ${admin} -n mutant wait --for=create serviceaccount/default --timeout=30s && until [ -z "$(${admin} -n mutant get serviceaccount default -o jsonpath={.automountServiceAccountToken})" ]; do ${admin} -n mutant patch serviceaccount default --type json --patch '[{"op":"remove","path":"/automountServiceAccountToken"}]'; sleep 0.3; done`,
          `${admin} delete namespace mutant --ignore-not-found && ${admin} apply --server-side -f /etc/oslo-cluster/service-accounts.yaml`,
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
    ],
  },
  {
    name: "the other node's state, other ways of the same",
    mutations: [
      {
        name: "a runtime that is no longer held",
        breaks: [
          { proof: packagesProof, reading: /^cp-1: containerd\.io=\S+ is not installed and held$/ },
        ],
        ...on("cp-1", "apt-mark unhold containerd.io", "apt-mark hold containerd.io"),
      },
      {
        name: "another parameter changed by hand, on the control plane",
        breaks: [
          { proof: sysctlsProof, reading: /^cp-1: net\.ipv4\.tcp_tw_reuse is 0, expected 1/ },
        ],
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
        make: ({ kubectl }) =>
          kubectl("-n", "kube-system", "scale", "deployment/coredns", "--replicas=0"),
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
        make: ({ kubectl }) => kubectl(...patchPool(true)),
        undo: ({ kubectl }) => kubectl(...patchPool(false)),
      },
      {
        name: "Hubble's socket taken from a living agent",
        breaks: [{ proof: deniedCallProof, reading: /Hubble could not be asked: worker-1/ }],
        make: (lab) => inAgent(lab, "mv /var/run/cilium/hubble.sock /var/run/cilium/hubble.gone"),
        undo: (lab) => inAgent(lab, "mv /var/run/cilium/hubble.gone /var/run/cilium/hubble.sock"),
      },
    ],
  },
  {
    name: "a port that lets pass no source but the node's own address",
    mutations: [
      {
        name: "foreign sources are dropped",
        breaks: [
          { proof: podTrafficProof, reading: /worker-1 → cp-1 10\.244\.\d+\.\d+: no answer/ },
          { proof: packetLossProof, reading: /worker-1 → pod-on-cp-1 10\.244\S+: 100 % lost/ },
          { proof: dsrProof, reading: /\(cp-1, backend on worker-1\): no answer/ },
          { proof: clientAddressProof, reading: /\(cp-1\): no answer/ },
          { proof: datagramsProof, reading: /\(cp-1\): not even 512 bytes are answered/ },
          { proof: l2AnnouncementsProof, reading: /is not answered/ },
          { proof: deniedCallProof, reading: /the allowed port is silent too/ },
        ],
        mayBreak: [dnsProof],
        ...onPort("worker-1", "foreign sources"),
      },
    ],
  },
  {
    name: "a port that lets pass pods, and no other node's address",
    mutations: [
      {
        name: "other nodes' addresses are dropped",
        breaks: [
          { proof: dsrProof, reading: /\(cp-1, backend on worker-1\): no answer/ },
          { proof: clientAddressProof, reading: /\(cp-1\): no answer/ },
          { proof: datagramsProof, reading: /\(cp-1\): not even 512 bytes are answered/ },
          { proof: l2AnnouncementsProof, reading: /is not answered/ },
        ],
        ...onPort("worker-1", "other hosts' addresses"),
      },
    ],
  },
  {
    name: "a port that drops IP options",
    mutations: [
      {
        name: "nothing that is advertised to routers",
        breaks: [{ proof: bgpProof, reading: /does not get/ }],
        ...withoutObject("ciliumbgpadvertisements.cilium.io", "oslo-lab"),
      },
      {
        name: "IP options are dropped",
        breaks: [
          { proof: dsrProof, reading: /\(worker-1, backend on cp-1\): no answer/ },
          { proof: clientAddressProof, reading: /\(worker-1\): no answer/ },
          { proof: datagramsProof, reading: /\(worker-1\)/ },
        ],
        ...onPort("worker-1", "IP options"),
      },
    ],
  },
];

function patchPool(disabled: boolean): string[] {
  const pool = ["patch", "ciliumloadbalancerippools.cilium.io", "public", "--type=merge"];
  return [...pool, "-p", JSON.stringify({ spec: { disabled } })];
}

/** Runs a shell command in the agent of worker-1. */
async function inAgent({ kubectl }: Lab, command: string): Promise<void> {
  const of = ["-n", "kube-system", "get", "pods", "-l", "k8s-app=cilium", "-o"];
  const pod = await kubectl(
    ...of,
    "jsonpath={.items[0].metadata.name}",
    "--field-selector=spec.nodeName=worker-1",
  );
  await kubectl("-n", "kube-system", "exec", pod, "-c", "cilium-agent", "--", "sh", "-c", command);
}
