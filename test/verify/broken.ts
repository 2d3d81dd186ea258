import type { Proof } from "../../verify/proof.ts";
import { accessProof } from "../../verify/proofs/access.ts";
import { backupProof, rehearsalProof } from "../../verify/proofs/backup.ts";
import { bandwidthProof } from "../../verify/proofs/bandwidth.ts";
import { canaryProof } from "../../verify/proofs/canary.ts";
import { certificatesProof } from "../../verify/proofs/certificates.ts";
import { clientAddressProof } from "../../verify/proofs/client-address.ts";
import { conntrackProof } from "../../verify/proofs/conntrack.ts";
import { cpuProof } from "../../verify/proofs/cpu.ts";
import { credentialsProof } from "../../verify/proofs/credentials.ts";
import { datagramsProof } from "../../verify/proofs/datagrams.ts";
import { deniedCallProof } from "../../verify/proofs/denied-call.ts";
import { dnsProof } from "../../verify/proofs/dns.ts";
import { dsrProof } from "../../verify/proofs/dsr.ts";
import { etcdMembersProof } from "../../verify/proofs/etcd-members.ts";
import { gatewayCrdsProof } from "../../verify/proofs/gateway-crds.ts";
import { gatewayStatusProof, routeStatusProof } from "../../verify/proofs/gateway-status.ts";
import { kubeProxyProof } from "../../verify/proofs/kube-proxy.ts";
import { kubeletCertificatesProof } from "../../verify/proofs/kubelet-certificates.ts";
import { modesProof } from "../../verify/proofs/modes.ts";
import { nixProof } from "../../verify/proofs/nix.ts";
import { nodesProof } from "../../verify/proofs/nodes.ts";
import { overlayProof } from "../../verify/proofs/overlay.ts";
import { packagesProof } from "../../verify/proofs/packages.ts";
import { packetLossProof } from "../../verify/proofs/packet-loss.ts";
import { podSubnetsProof } from "../../verify/proofs/pod-subnets.ts";
import { podTrafficProof } from "../../verify/proofs/pod-traffic.ts";
import { reversePathProof } from "../../verify/proofs/reverse-path.ts";
import { routesProof } from "../../verify/proofs/routes.ts";
import { secretsAtRestProof } from "../../verify/proofs/secrets-at-rest.ts";
import { serviceAccountsProof } from "../../verify/proofs/service-accounts.ts";
import { sysctlsProof } from "../../verify/proofs/sysctls.ts";
import { virtualAddressProof } from "../../verify/proofs/virtual-address.ts";
import {
  type Answers,
  agentStatus,
  backupStatus,
  backupTime,
  certificatesOf,
  defaultAccount,
  inMinutes,
  rbac,
  rehearsalReport,
  stored,
  token,
} from "./healthy.ts";

/** An answer that only one node gives; the others stay healthy. */
export const on =
  (node: string, sick: string, others = "") =>
  (where: string) =>
    where === node ? sick : others;

/** The same reading, losses and mean, on the four paths from each node. */
const paths = (reading: string) =>
  Array.from({ length: 4 }, () => `node-9 10.10.1.9 ${reading}`).join("\n");

/** What breaks each promise, and what the reading must name. */
export const broken: [proof: Proof, fault: string, sick: Answers, reading: RegExp][] = [
  [nodesProof, "a node is missing", [["get nodes", '{"items":[]}']], /^node-0 is not a node/],
  [
    etcdMembersProof,
    "a wiped disk",
    [["oslo-step etcd-state", "lost"]],
    /^node-0 has lost its data \(\/var\/lib\/etcd was emptied, or is another disk\)$/,
  ],
  [
    etcdMembersProof,
    "a member that is out",
    [["oslo-step etcd-state", "silent"]],
    /^node-0 does not answer, or knows no leader$/,
  ],
  [podSubnetsProof, "no shares", [["get nodes", nodes({ podCIDRs: [] })]], /^node-0 has none/],
  [
    podSubnetsProof,
    "one share twice",
    [["get nodes", nodes({ podCIDRs: ["10.244.0.0/24", "fd00::/64"] }, 2)]],
    /10\.244\.0\.0\/24 belongs to two nodes/,
  ],
  [
    packagesProof,
    "a package is not held",
    [["apt-mark", "kubelet=1.0 "]],
    /^node-0: containerd\.io=\S+ is not installed and held/,
  ],
  [
    sysctlsProof,
    "a value was changed",
    [["sysctl --values", "0"]],
    /^node-0: net\.netfilter\.nf_conntrack_max is 0, expected 131072/,
  ],
  [
    cpuProof,
    "steal",
    [["/proc/stat", on("node-1", "cpu0 7.50 0.00", "cpu0 0.00 0.00")]],
    /^node-1 cpu0: steal 7\.5 %, allowed 0\.1 %/,
  ],
  [
    cpuProof,
    "softirq",
    [["/proc/stat", on("node-1", "cpu0 0.00 99.00", "cpu0 0.00 0.00")]],
    /^node-1 cpu0: softirq 99 %/,
  ],
  [
    kubeProxyProof,
    "rules",
    [["iptables-save", on("node-2", "3 in iptables-save")]],
    /^node-2: 3 in iptables-save$/,
  ],
  [
    kubeProxyProof,
    "the DaemonSet",
    [["get daemonsets", "daemonset.apps/kube-proxy"]],
    /DaemonSet kube-proxy/,
  ],
  ...(
    [
      ["KubeProxyReplacement:    True", "KubeProxyReplacement:    False"],
      ["Native   Host: BPF", "Tunnel [vxlan]   Host: BPF"],
      ["Host: BPF", "Host: Legacy"],
      ["Masquerading:            BPF", "Masquerading:            IPTables"],
      ["Mode:                   DSR", "Mode:                   SNAT"],
      ["IP Option/Extension", "IPIP"],
    ] as const
  ).map(([is, was]): (typeof broken)[number] => {
    const status = agentStatus.replace(is, was);
    return [
      modesProof,
      was,
      [
        ["agent cilium-dbg status --verbose |", ""],
        ["agent cilium-dbg status --verbose", on("node-1", status, agentStatus)],
      ],
      /^node-1: not /,
    ];
  }),
  [
    bandwidthProof,
    "an old kernel",
    [["s/^BandwidthManager", on("node-1", "Disabled", "EDT with BPF [BBR] [eth0]")]],
    /^node-1: Disabled$/,
  ],
  [
    bandwidthProof,
    "without BBR",
    [["s/^BandwidthManager", "EDT with BPF [CUBIC] [eth0]"]],
    /CUBIC/,
  ],
  [
    overlayProof,
    "a vxlan device",
    [["ip -o link show type", on("node-1", "mutant")]],
    /^node-1: mutant$/,
  ],
  [
    routesProof,
    "no routes",
    [["ip route; ip -6", ""]],
    /^node-0: no route 10\.244\.1\.0\/24 via 10\.10\.1\.2 \(node-1\)/,
  ],
  [
    reversePathProof,
    "strict",
    [["effective=", on("node-1", "eth0 is strict (all 0, own 1)")]],
    /^node-1: eth0 is strict/,
  ],
  [
    podTrafficProof,
    "silence",
    [["xargs -r", on("node-1", "node-2 10.244.2.9: no answer to ping")]],
    /^node-1 → node-2 10\.244\.2\.9: no answer to ping$/,
  ],
  [
    packetLossProof,
    "lost packets",
    [["packets transmitted", paths("20 0.1")]],
    /^node-\d+ → node-9 10\.10\.1\.9: 10 % lost, allowed 0\.5 %/,
  ],
  [
    packetLossProof,
    "late packets",
    [["packets transmitted", paths("0 7.5")]],
    /^node-\d+ → node-9 10\.10\.1\.9: 7\.5 ms, allowed 2 ms/,
  ],
  [
    packetLossProof,
    "no answer",
    [["packets transmitted", paths("200 -")]],
    /^node-\d+ → node-9 10\.10\.1\.9: 100 % lost/,
  ],
  [
    packetLossProof,
    "paths that nobody measured",
    [["packets transmitted", ""]],
    /0 of \d+ paths were measured/,
  ],
  [
    dsrProof,
    "the answer through the ingress",
    [["tcpdump -n -v -r", throughIngress]],
    /packets of the answer passed node-0/,
  ],
  [
    dsrProof,
    "no packet at all",
    [["tcpdump -n -v -r", ""]],
    /no packet left node-1 with the service's address/,
  ],
  [
    clientAddressProof,
    "another address",
    [["/dev/tcp/10.10.1.1/30001", "10.10.1.1"]],
    /^10\.10\.1\.1 \(node-0\): the backend saw 10\.10\.1\.1, the client is 10\.10\.9\.9$/,
  ],
  [clientAddressProof, "no answer", [['&& echo "$line"\'', new Error("timed out")]], /no answer/],
  [
    datagramsProof,
    "lost",
    [["/dev/udp/", (_, question) => (question.includes("bs=512") ? "1" : "lost")]],
    /512 bytes are answered, 1500 are lost/,
  ],
  [datagramsProof, "nothing", [["/dev/udp/", "lost"]], /not even 512 bytes/],
  [
    dnsProof,
    "slow",
    [["use Socket", on("node-1", "60.0", "0.4")]],
    /p99 60\.00 ms.*above 50 ms; NodeLocal DNSCache is recommended/,
  ],
  [dnsProof, "lost", [["use Socket", on("node-1", "0.4\nlost", "0.4")]], /^node-1: 1 of 2 lost$/],
  [
    virtualAddressProof,
    "no holder",
    [["address show to 10.10.0.250", "/52:54:00:00:00:01/ok"]],
    /^10\.10\.0\.250 is at no control plane$/,
  ],
  [
    virtualAddressProof,
    "two holders",
    [["address show to 10.10.0.250", "held/52:54:00:00:00:01/ok"]],
    /^10\.10\.0\.250 is at node-0, node-1/,
  ],
  [
    virtualAddressProof,
    "an API server that is not ready",
    [
      [
        "address show to 10.10.0.250",
        on("node-1", "/52:54:00:00:00:01/[-]etcd failed", "held/52:54:00:00:00:01/ok"),
      ],
    ],
    /^10\.10\.0\.250 is at .*; node-1: https:\/\/10\.10\.0\.250:6443\/readyz answers \[-\]etcd failed/,
  ],
  [
    virtualAddressProof,
    "a node that finds it at another machine",
    [
      [
        "address show to 10.10.0.250",
        (where) => (where === "node-0" ? "held/52:54:00:00:00:01/ok" : "/52:54:00:00:00:02/ok"),
      ],
    ],
    /^node-1 finds 10\.10\.0\.250 at 52:54:00:00:00:02, not at node-0/,
  ],
  [
    conntrackProof,
    "the host's table",
    [["bpf_map_pressure", "nf_conntrack 93.0 (93 of 100)\nct4 1.0"]],
    /^node-0: nf_conntrack 93\.0 %.*allowed 80 %/,
  ],
  [
    conntrackProof,
    "a map of Cilium",
    [["bpf_map_pressure", "ct4_global 91.5"]],
    /ct4_global 91\.5 %/,
  ],
  [
    nixProof,
    "far away",
    [["ping -n -q -c 10", on("node-2", "9.5", "0.4")]],
    /^node-2: 9\.5 ms, allowed 2 ms$/,
  ],
  [nixProof, "silence", [["ping -n -q -c 10", on("node-2", "", "0.4")]], /^node-2: no answer/],
  [
    gatewayCrdsProof,
    "one is missing",
    [["get crds", ""]],
    /gatewayclasses\.gateway\.networking\.k8s\.io is not established/,
  ],
  [
    gatewayStatusProof,
    "not programmed",
    [["get gateway ", status("Accepted")]],
    /is not Programmed: no such condition/,
  ],
  [
    gatewayStatusProof,
    "a listener without its certificate",
    [
      [
        "get gateway ",
        JSON.stringify({
          status: {
            conditions: conditions("Accepted", "Programmed"),
            listeners: [
              { name: "http", conditions: conditions("Accepted", "Programmed", "ResolvedRefs") },
              { name: "tls", conditions: conditions("Accepted", "Programmed") },
            ],
          },
        }),
      ],
    ],
    /listener tls, is not ResolvedRefs: no such condition/,
  ],
  [
    gatewayStatusProof,
    "changed since a controller has read it",
    [
      [
        "get gateway ",
        status("Accepted", "Programmed").replace("{", '{"metadata":{"generation":2},'),
      ],
    ],
    /was changed, and no controller has read it since \(generation 2, read 1\)/,
  ],
  [
    routeStatusProof,
    "changed since a controller has read it",
    [
      [
        "get httproute",
        parents("Accepted", "ResolvedRefs").replace("{", '{"metadata":{"generation":2},'),
      ],
    ],
    /shop\/shop was changed, and no controller has read it/,
  ],
  [
    routeStatusProof,
    "an unknown backend",
    [["get httproute", parents("Accepted")]],
    /shop\/shop is not ResolvedRefs/,
  ],
  [
    routeStatusProof,
    "not attached",
    [["get httproute", '{"status":{}}']],
    /no gateway has taken it/,
  ],
  [
    canaryProof,
    "another split",
    [["[1-1000]", lines(800, 200)]],
    /90\/10: 800 and 200 of 1000, the canary's bounds 63 to 137/,
  ],
  [
    canaryProof,
    "an address that is a command",
    [["get gateway external-gateway -o jsonpath", "'; id; '"]],
    /^the gateway's address is not an address: "'; id; '"$/,
  ],
  [canaryProof, "requests lost", [["[1-1000]", lines(880, 100)]], /the rest was not answered/],
  [
    deniedCallProof,
    "Hubble that was asked for and does not answer",
    [["hubble observe", new Error("connection refused")]],
    /Hubble could not be asked: node-1: connection refused/,
  ],
  [deniedCallProof, "no flow", [["hubble observe", ""]], /Hubble shows no dropped flow/],
  [
    deniedCallProof,
    "silent all over",
    [["/8080 && read", "silent"]],
    /the allowed port is silent too/,
  ],
  [
    serviceAccountsProof,
    "a token mounted",
    [["get serviceaccounts", JSON.stringify({ items: [defaultAccount("shop")] })]],
    /^shop: its default service account mounts its token$/,
  ],
  [
    secretsAtRestProof,
    "plain",
    [["/v3/kv/range", stored("k8s\x00 v1 Secret")]],
    /^node-0: stored as k8s\. v1 Secret/,
  ],
  [
    secretsAtRestProof,
    "a rotation that has not ended",
    [["/v3/kv/range", stored("k8s:enc:secretbox:v1:key2:\x01", "key2,key1")]],
    /^node-0: keys in use: key2,key1$/,
  ],
  ...(
    [
      ["no copy ever", "", /^node-0: no copy was ever made$/],
      ["the timer stopped", backupStatus({ timer: "inactive" }), /^node-0: the timer is inactive$/],
      ["a run failed", backupStatus({ error: "disk full" }), /^node-0: disk full$/],
      [
        "the newest is old",
        backupStatus({ now: backupTime + 3 * 3600 }),
        /the last copy that reached every target was made 3 h ago; node-0: target vault: last reached 3 h ago/,
      ],
      [
        "a target was never reached",
        backupStatus({ targets: [] }),
        /^node-0: target vault: last reached never$/,
      ],
    ] as const
  ).map(([fault, answer, reading]): (typeof broken)[number] => [
    backupProof,
    fault,
    [["backup/status.json", answer]],
    reading,
  ]),
  ...(
    [
      ["a stranger's signature", "unsigned", /not signed by one of/],
      [
        "another cluster's",
        `1\n${rehearsalReport({ uid: "beef" })}`,
        /of cluster beef, this is 0d5e/,
      ],
      [
        "a Secret that did not decrypt",
        `1\n${rehearsalReport({ problems: ["the canary Secret does not decrypt"] })}`,
        /rehearsed and failed: the canary Secret does not decrypt/,
      ],
    ] as const
  ).map(([fault, answer, reading]): (typeof broken)[number] => [
    rehearsalProof,
    fault,
    [["backup/rehearsal", answer]],
    reading,
  ]),
  ...(
    [
      ["none was read", "", /^node-0: no certificate was read$/],
      [
        "a certificate that was not renewed",
        certificatesOf("4752000 /etc/kubernetes/scheduler.conf"),
        /^node-0: \/etc\/kubernetes\/scheduler\.conf ends in 1320\.0 h and was not renewed$/,
      ],
      [
        "one that has ended",
        certificatesOf("-7200 /etc/kubernetes/pki/apiserver"),
        /pki\/apiserver ended 2\.0 h ago and was not renewed$/,
      ],
      [
        "a CA that ends before what it signs",
        certificatesOf("31000000 /etc/kubernetes/pki/etcd/ca.crt"),
        /etcd\/ca\.crt ends in 8611\.1 h, before what it signs now$/,
      ],
      [
        "another key",
        certificatesOf("broken /etc/kubernetes/pki/apiserver"),
        /pki\/apiserver cannot be read, or does not fit its key$/,
      ],
      [
        "renewed by hand, and nothing restarted",
        certificatesOf("former kube-scheduler"),
        /^node-0: kube-scheduler runs with a former certificate$/,
      ],
      [
        "no timer",
        certificatesOf("unit its timer does not run"),
        /^node-0: its timer does not run$/,
      ],
    ] as const
  ).map(([fault, answer, reading]): (typeof broken)[number] => [
    certificatesProof,
    fault,
    [["renew-certificates.sh list", answer]],
    reading,
  ]),
  [
    certificatesProof,
    "a kubelet that does not rotate",
    [
      [
        "kubelet-client-current.pem",
        on("node-2", "kubelet 864000 31536000", "kubelet 31000000 31536000"),
      ],
    ],
    /^node-2: its kubelet's client certificate was not renewed/,
  ],
  ...(
    [
      ["no kubelet was asked", "", /^node-0: only 0 of 6 addresses were asked$/],
      [
        "a machine that poses as a kubelet",
        "node-1 10.10.1.2 shows no certificate of the cluster's CA for this address: self-signed certificate",
        /^node-0: node-1 10\.10\.1\.2 shows no certificate .*self-signed certificate$/,
      ],
      [
        "a certificate that was not rotated",
        "shown node-1 10.10.1.2 1728000 31536000",
        /^node-1 10\.10\.1\.2: ends in 480\.0 h and was not rotated/,
      ],
      [
        "an API server that takes any certificate",
        "its API server does not verify kubelets",
        /^node-0: its API server does not verify kubelets$/,
      ],
    ] as const
  ).map(([fault, answer, reading]): (typeof broken)[number] => [
    kubeletCertificatesProof,
    fault,
    [["openssl s_client", answer]],
    reading,
  ]),
  [
    credentialsProof,
    "super-admin.conf",
    [["super-admin.conf", on("node-0", "/etc/kubernetes/super-admin.conf")]],
    /^node-0: \/etc/,
  ],
  ...(
    [
      ["a token without an end", undefined, /bootstrap-token-abcdef: .* ends never/],
      ["a token of a day", inMinutes(24 * 60), /ends at 2\d\d\d-/],
      ["a token whose end is no date", "tomorrow", /ends at tomorrow/],
    ] as const
  ).map(([fault, expiration, reading]): (typeof broken)[number] => [
    credentialsProof,
    fault,
    // A description is whatever its maker wrote.
    [["get secrets", token({ expiration, description: "one join by oslo-cluster" })]],
    reading,
  ]),
  ...(
    [
      [
        "cluster-admin for everyone",
        { subjects: [{ kind: "Group", name: "system:unauthenticated" }] },
        /anyone without a credential may \* \* \(ClusterRoleBinding planted\); .*Group:system:unauthenticated may do everything/,
      ],
      [
        "a role that reads pods, for anonymous",
        { roleRef: "reader", subjects: [{ kind: "User", name: "system:anonymous" }] },
        /^anyone without a credential may get, list pods \(ClusterRoleBinding planted\)$/,
      ],
      [
        "a stranger who may do everything",
        { subjects: [{ kind: "ServiceAccount", namespace: "shop", name: "deployer" }] },
        /^ServiceAccount:shop\/deployer may do everything \(ClusterRoleBinding planted\)$/,
      ],
      [
        "a stranger to whom kube-system belongs",
        { namespace: "kube-system", subjects: [{ kind: "User", name: "eve" }] },
        /^User:eve may do everything \(RoleBinding kube-system planted\)/,
      ],
      [
        "a role of another name that may do everything",
        { roleRef: "helper", subjects: [{ kind: "User", name: "eve" }] },
        /^User:eve may do everything/,
      ],
    ] as const
  ).map(([fault, planted, reading]): (typeof broken)[number] => [
    accessProof,
    fault,
    [["get clusterroles,roles", rbac(planted)]],
    reading,
  ]),
  [
    accessProof,
    "an API server that answers",
    [["/api/v1/namespaces/kube-system/secrets", on("node-0", "https://x/api answers 200")]],
    /^node-0: https:\/\/x\/api answers 200$/,
  ],
];

function nodes(spec: object, count = 1): string {
  const nodeInfo = { kubeletVersion: "v1.36.3", containerRuntimeVersion: "containerd://2" };
  const items = Array.from({ length: count }, (_, i) => ({
    ...{ metadata: { name: `node-${i}` }, spec },
    status: { nodeInfo, conditions: [{ type: "Ready", status: "True" }] },
  }));
  return JSON.stringify({ items });
}

function conditions(...types: string[]) {
  return types.map((type) => ({ type, status: "True", observedGeneration: 1 }));
}

function status(...types: string[]): string {
  return JSON.stringify({ status: { conditions: conditions(...types) } });
}

function parents(...types: string[]): string {
  return JSON.stringify({ status: { parents: [{ conditions: conditions(...types) }] } });
}

function lines(stable: number, canary: number): string {
  return [...Array(stable).fill("node-0"), ...Array(canary).fill("node-1")].join("\n");
}

/** As SNAT would show it, at each node that is asked for it. */
function throughIngress(_: string, question: string): string {
  const [, port = ""] = question.match(/capture-(\d+)-/) ?? [];
  const number = (Number(port) - 30000 + 2) % 3;
  const address = question.includes("-6.pcap")
    ? `fd00:10:10::${number + 1}`
    : `10.10.1.${number + 1}`;
  return `12:00 IP ${address}.${port} > 10.10.9.9.40000: Flags [S.]`;
}
