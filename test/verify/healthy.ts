import type { Config } from "../../config/config.ts";
import type { ClusterPlan } from "../../plan/plan.ts";
import { ports } from "../../verify/probe/pods.ts";
import { parameters } from "../../verify/proofs/sysctls.ts";

/** A part of a question; what is answered; for how many seconds the work of it takes. */
export type Answers = [
  part: string,
  output: string | Error | ((where: string, question: string) => string | Error),
  seconds?: number,
][];

const indexOf = (node: string) => Number(node.split("-")[1]);
const podOf = (node: string, family: 4 | 6) =>
  family === 4 ? `10.244.${indexOf(node)}.9` : `fd00:10:244:${indexOf(node).toString(16)}::9`;
const shareOf = (node: string, family: 4 | 6) =>
  family === 4 ? `10.244.${indexOf(node)}.0/24` : `fd00:10:244:${indexOf(node).toString(16)}::/64`;
const listOf = (items: unknown[]) => JSON.stringify({ items });

/** The lines of an agent's status that proofs look at, as Cilium 1.20.2 prints them. */
export const agentStatus = `KubeProxyReplacement:    True   [eth0   10.10.1.1 fd00:10:10::1 (Direct Routing)]
Routing:                 Network: Native   Host: BPF
Attach Mode:             TCX
Masquerading:            BPF   [eth0]   10.244.0.0/16 fd00:10:244::/56 [IPv4: Enabled, IPv6: Enabled]
KubeProxyReplacement Details:
  Status:                 True
  Mode:                   DSR
    DSR Dispatch Mode:    IP Option/Extension
  XDP Acceleration:       Best-Effort
`;

/** A namespace's default service account. */
export const defaultAccount = (namespace: string, automountServiceAccountToken?: boolean) => ({
  metadata: { name: "default", namespace },
  automountServiceAccountToken,
});

/** The names of a control plane's keys, and what its etcd has of a Secret. */
export const stored = (value: string, keys = "key1") =>
  `${keys}\n${JSON.stringify({ kvs: [{ value: btoa(value) }] })}`;

/** What a cluster answers that keeps every promise. */
export function healthy(config: Config, plan: ClusterPlan): Answers {
  const names = plan.nodes.map(({ name }) => name);
  const peersOf = (node: string) => plan.nodes.filter(({ name }) => name !== node);
  return [
    ["kubectl delete namespace", "", 6],
    ["systemctl stop 'oslo-verify-*'", ""],
    ["kubectl apply", ""],
    [" wait --for=create serviceaccount/default", ""],
    [" wait --for=condition=Ready", "", 8],
    ["get nodes -o json", listOf(names.map((name) => nodeObject(config, name)))],
    ["get daemonsets", "daemonset.apps/cilium"],
    ["get crds", plan.gatewayApi.crds.map(({ metadata }) => `${metadata.name} True`).join("\n")],
    ["get pods -o json", listOf(names.map(probePod))],
    ["get services -l verify-service=node-port", listOf(names.map(probeService))],
    ["get services -l verify-service=address", listOf([addressService()])],
    ["get lease cilium-l2announce-oslo-cluster-verify-address-0", "node-1"],
    [
      "address show to 10.10.0.250",
      (where) => `${where === "node-0" ? "held" : ""}/${macOf("node-0")}/ok`,
    ],
    ["ip -brief link show dev eth0", macOf],
    ["SOCK_RAW", `answered\n${macOf("node-1")}`, 2.5],
    ["get service kube-dns", "10.96.0.10"],
    ["-l k8s-app=node-local-dns", listOf(names.map((name) => cachePod(name)))],
    ["coredns_dns_requests_total", "20 20", 1],
    ["-l k8s-app=cilium-envoy", "pod/cilium-envoy-1"],
    ["get gateway external-gateway -o jsonpath", "10.10.1.1"],
    ["get gateway", statusOf("Accepted", "Programmed")],
    ["get httproute", JSON.stringify({ status: { parents: [{ conditions: routeConditions }] } })],
    ["get secrets", token({ expiration: inMinutes(4) })],
    ["get clusterroles,roles", rbac()],
    [
      "get serviceaccounts",
      listOf(["default", "kube-system"].map((one) => defaultAccount(one, false))),
    ],
    ["without a credential", ""],
    ["oslo-step etcd-state", "voter"],
    ["apt-mark showhold", () => `${plan.nodes[0]?.steps.packages?.vars.PACKAGES} `, 0.5],
    ["sysctl --values", valuesOf(plan)],
    ["/proc/stat", "cpu0 0.00 1.50\ncpu1 0.00 2.00", 5],
    ["iptables-save", "", 0.5],
    ["s/^BandwidthManager", "EDT with BPF [BBR] [eth0]"],
    ["bpftool net show", "eth0 attached"],
    ["bpf_map_pressure", "nf_conntrack 0.1 (300 of 262144)\nct4_global 1.5\nlb4_backends 0.2"],
    ["agent cilium-dbg bgp peers -o json", JSON.stringify(routers.map(session))],
    ["agent cilium-dbg bgp routes advertised", (node) => JSON.stringify(advertised(node))],
    ["agent cilium-dbg status --verbose", agentStatus],
    ["ip -o link show type", ""],
    [
      "ip route; ip -6 route",
      (node) =>
        peersOf(node)
          .flatMap(({ name, addresses }) => [
            `${shareOf(name, 4)} via ${addresses[0]} dev eth0 proto kernel `,
            `${shareOf(name, 6)} via ${addresses[1]} dev eth0 metric 1024 pref medium`,
          ])
          .join("\n"),
    ],
    ["effective=", ""],
    ["ping -n -q -c 10", "0.412", 2],
    ['systemd-run --quiet --collect --unit="oslo-verify-$1"', "", 1],
    [
      "packets transmitted",
      (node) => {
        const [peer = ""] = peersOf(node).map(({ name }) => name);
        return [peer, peer, `pod-on-${peer}`, `pod-on-${peer}`]
          .map((what) => `${what} 10.10.1.9 0 0.112`)
          .join("\n");
      },
      2,
    ],
    ["xargs -r -P 8", "", 0.01 * 2 * names.length],
    ["clock_gettime", "", 0],
    ["use Socket", Array.from({ length: config.verify.dnsQueries }, () => "0.400").join("\n"), 0.5],
    ["client limited() { perl", clientAnswer],
    ["tcpdump -i", ""],
    ["/address-0-", "12:00 IP 10.10.1.3.50000 > 10.10.9.1.8081: UDP, length 9"],
    ["bpf ct list global", ""],
    ["tcpdump -n -v -r", (node, question) => captured(plan, names, node, question)],
    [
      `/${ports.denied} && read`,
      (_, question) => (question.includes("inpod timeout") ? "silent" : "answered"),
      2,
    ],
    [`/${ports.tcp} && read`, "answered"],
    ["hubble observe", (node) => flow(names, node)],
    ["curl -s --max-time", (_, question) => canary(question)],
    ["/v3/kv/range", stored("k8s:enc:secretbox:v1:key1:\x01\x02")],
    ["openssl s_client", kubeletsShown(plan)],
    ["renew-certificates.sh list", certificatesOf()],
    ["kubelet-client-current.pem", `kubelet ${240 * 86_400} ${365 * 86_400}`],
    ["super-admin.conf", ""],
    ["backup/status.json", backupStatus()],
    ["backup/rehearsal", `${backupTime + 3600}\n${rehearsalReport()}`],
    ["get namespace kube-system", "0d5e"],
  ];
}

/** What a control plane says of its certificates, some of them. */
export function certificatesOf(...more: string[]): string {
  const year = 365 * 86_400;
  return [
    `${200 * 86_400} /etc/kubernetes/pki/etcd/server`,
    `${200 * 86_400} /etc/kubernetes/admin.conf`,
    `${9 * year} /etc/kubernetes/pki/ca.crt`,
    `${9 * year} /etc/kubernetes/pki/front-proxy-ca.crt`,
    ...more,
  ].join("\n");
}

/** What a control plane reads of every kubelet's certificate, two thirds of a year before its end. */
export function kubeletsShown(plan: ClusterPlan, left = 240 * 86_400): string {
  return plan.nodes
    .flatMap(({ name, addresses }) =>
      addresses.map((address) => `shown ${name} ${address} ${left} ${365 * 86_400}`),
    )
    .join("\n");
}

/** When the newest copy of the simulated cluster was made. */
export const backupTime = 1_790_000_000;

/** What backup.sh writes, with what the node adds as it is asked. */
export function backupStatus(changes: object = {}): string {
  const lastSuccess = backupTime + 60;
  return JSON.stringify({
    ...{ now: backupTime + 720, timer: "active", error: null, lastSuccess },
    copy: {
      name: "20260921T131320Z-node-0-r900.tar.gz.age",
      bytes: 2_000_000,
      takenAt: backupTime,
    },
    targets: [{ name: "vault", lastSuccess, error: null, copies: 35 }],
    ...changes,
  });
}

/** What a rehearsal writes. */
export function rehearsalReport(changes: object = {}): string {
  return JSON.stringify({
    ...{ cluster: "simulated", uid: "0d5e", copy: "20260921T131320Z-node-0-r900.tar.gz.age" },
    ...{
      takenAt: backupTime,
      rehearsedAt: backupTime + 720,
      seconds: 41,
      objects: 812,
      problems: [],
    },
    ...changes,
  });
}

function nodeObject(config: Config, name: string) {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec: { podCIDRs: [shareOf(name, 4), shareOf(name, 6)] },
    status: {
      nodeInfo: {
        kubeletVersion: `v${config.kubernetes.version}`,
        containerRuntimeVersion: "containerd://2.4.1",
      },
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

function probePod(node: string) {
  return {
    metadata: { name: `probe-${node}` },
    spec: { nodeName: node },
    status: { podIPs: [{ ip: podOf(node, 4) }, { ip: podOf(node, 6) }] },
  };
}

/** The service's node port tells its backend: 30000 and the node's number. */
function probeService(node: string) {
  const port = (name: string, nodePort: number) => ({ name, nodePort });
  const number = indexOf(node);
  return {
    spec: {
      selector: { "verify-node": node },
      ports: [
        port("tcp", 30000 + number),
        port("udp", 31000 + number),
        port("http", 32000 + number),
      ],
    },
  };
}

/** What the pool's operator gives, of each family. */
export function addressService(...addresses: string[]) {
  const given = addresses.length > 0 ? addresses : ["10.10.9.1", "fd00:10:10::901"];
  return {
    metadata: { name: "address-0" },
    spec: { clusterIPs: ["10.96.0.99", "fd00:10:96::99"] },
    status: { loadBalancer: { ingress: given.map((ip) => ({ ip })) } },
  };
}

/** The DNS cache of a node. */
export function cachePod(nodeName: string, ready = "True") {
  const conditions = [{ type: "Ready", status: ready }];
  return {
    spec: { nodeName },
    status: { podIP: `10.244.${indexOf(nodeName)}.53`, conditions },
  };
}

const routers = ["10.10.0.1", "fd00:10:10::ff"];

/** A session as the agent of Cilium 1.20.2 prints it, of api/v1/models/bgp_peer.go. */
export function session(router: string) {
  return {
    ...{ "local-asn": 64_512, "peer-asn": 64_500, "peer-address": router, "peer-port": 179 },
    families: [{ advertised: 2, afi: "ipv4", safi: "unicast" }],
    "session-state": "established",
    "uptime-nanoseconds": 90_000_000_000,
  };
}

/** What routers hear of a node, per family, of api/v1/models/bgp_route.go. */
export function advertised(node: string, from: readonly string[] = routers): object[][] {
  const prefixes = {
    4: [shareOf(node, 4), "10.10.9.1/32"],
    6: [shareOf(node, 6), "fd00:10:10::901/128"],
  };
  return ([4, 6] as const).map((family) =>
    from.flatMap((neighbor) =>
      prefixes[family].map((prefix) => ({
        ...{ neighbor, paths: [{ best: true }], prefix, "router-asn": 64_512 },
      })),
    ),
  );
}

/** The MAC address of a node's interface on the VLAN. */
export const macOf = (node: string) =>
  `52:54:00:00:00:${indexOf(node).toString(16).padStart(2, "0")}`;

const routeConditions = ["Accepted", "ResolvedRefs"].map((type) => ({ type, status: "True" }));

function statusOf(...types: string[]): string {
  return JSON.stringify({
    status: { conditions: types.map((type) => ({ type, status: "True" })) },
  });
}

function valuesOf(plan: ClusterPlan): string {
  const document = plan.nodes[0]?.steps.kernel?.files["/etc/sysctl.d/99-k8s-network.conf"] ?? "";
  return parameters(document)
    .set.map(([, value]) => value)
    .join("\n");
}

const client = { 4: "10.10.9.9", 6: "fd00:10:10::99" } as const;

/** A client's TCP request is answered with its address, a datagram at the first try. */
function clientAnswer(_: string, question: string): string {
  if (question.includes("/dev/udp/")) return "1";
  return question.includes("fd00:") ? `[${client[6]}]` : client[4];
}

/** What tcpdump saw of one exchange by DSR: the SYN came in, went on with the option, and was answered. */
function captured(plan: ClusterPlan, names: string[], node: string, question: string): string {
  const [, port = "", of] = question.match(/capture-(\d+)-(\d)/) ?? [];
  const family = of === "6" ? 6 : 4;
  const backend = names[Number(port) - 30000] ?? "";
  const ingress = names[(names.indexOf(backend) - 1 + names.length) % names.length];
  const address = plan.nodes.find(({ name }) => name === ingress)?.addresses[family === 4 ? 0 : 1];
  const service = `${address}.${port}`;
  const ip = family === 4 ? "IP" : "IP6";
  if (node === ingress)
    return `12:00:00.1 ${ip} (x)\n    ${client[family]}.40000 > ${service}: Flags [S]`;
  const option = family === 4 ? "IP (options (unknown 154))" : "IP6 DSTOPT (opt_type 0x1b)";
  return [
    `12:00:00.1 ${option}\n    ${client[family]}.40000 > ${podOf(node, family)}.8080: Flags [S]`,
    `12:00:00.2 ${ip} (x)\n    ${service} > ${client[family]}.40000: Flags [S.]`,
  ].join("\n");
}

/** The drop of a call from the node before this one in the ring. */
function flow(names: string[], node: string): string {
  const from = names[(names.indexOf(node) - 1 + names.length) % names.length] ?? "";
  const IP = { source: podOf(from, 4), destination: podOf(node, 4) };
  return JSON.stringify({ flow: { IP, drop_reason_desc: "POLICY_DENIED" } });
}

/** As many answers of each backend as the weights of the route say. */
function canary(question: string): string {
  const [, percent = "", count = ""] = question.match(/verify-(\d+)\?\[1-(\d+)\]/) ?? [];
  const few = Math.round((Number(count) * Number(percent)) / 100);
  return Array.from({ length: Number(count) }, (_, i) => (i < few ? "node-1" : "node-0")).join(
    "\n",
  );
}

export const inMinutes = (minutes: number) =>
  new Date(Date.now() + minutes * 60_000).toISOString().replace(/\.\d+/, "");

/** A bootstrap token as its Secret. */
export function token(texts: Record<string, string | undefined>): string {
  const data = Object.entries(texts).filter(([, text]) => text !== undefined);
  return listOf([
    {
      metadata: { name: "bootstrap-token-abcdef" },
      data: Object.fromEntries(data.map(([key, text]) => [key, btoa(text ?? "")])),
    },
  ]);
}

/** What kubeadm and Kubernetes bind, as far as it concerns cluster admins and the anonymous, and one binding more. */
export function rbac(planted?: {
  namespace?: string;
  roleRef?: string;
  subjects: readonly object[];
}) {
  const everything = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }];
  const role = (name: string, rules: object[]) => ({
    ...{ kind: "ClusterRole", metadata: { name }, rules },
  });
  const bind = (name: string, to: string, subjects: readonly object[]) => ({
    ...{ kind: "ClusterRoleBinding", metadata: { name }, subjects },
    roleRef: { kind: "ClusterRole", name: to },
  });
  const group = (name: string) => ({ kind: "Group", name });
  const info = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
  const clusterInfo = "kubeadm:bootstrap-signer-clusterinfo";
  const inPublic = { name: clusterInfo, namespace: "kube-public" };
  return listOf([
    role("cluster-admin", [...everything, { verbs: ["*"], nonResourceURLs: ["*"] }]),
    role("helper", everything),
    role("reader", [{ verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] }]),
    role("system:public-info-viewer", [{ verbs: ["get"], nonResourceURLs: info }]),
    {
      ...{ kind: "Role", metadata: inPublic },
      rules: [{ verbs: ["get"], resources: ["configmaps"], resourceNames: ["cluster-info"] }],
    },
    bind("cluster-admin", "cluster-admin", [group("system:masters")]),
    bind("kubeadm:cluster-admins", "cluster-admin", [group("kubeadm:cluster-admins")]),
    bind("system:public-info-viewer", "system:public-info-viewer", [
      group("system:authenticated"),
      group("system:unauthenticated"),
    ]),
    {
      ...{ kind: "RoleBinding", metadata: inPublic },
      roleRef: { kind: "Role", name: clusterInfo },
      subjects: [{ kind: "User", name: "system:anonymous" }],
    },
    ...(planted
      ? [
          {
            kind: planted.namespace ? "RoleBinding" : "ClusterRoleBinding",
            metadata: { name: "planted", namespace: planted.namespace },
            roleRef: { kind: "ClusterRole", name: planted.roleRef ?? "cluster-admin" },
            subjects: planted.subjects,
          },
        ]
      : []),
  ]);
}
