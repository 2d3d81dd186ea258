import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { hostKey } from "../host-key.ts";
import { problemsOf, stack } from "../stack.ts";

const node = "nodes.existing[1]";
const key = hostKey("bastion");

/** Path, values that are wrong by themselves, and a part of what is said. */
const wrong: [path: string, says: string, ...values: unknown[]][] = [
  ["cluster.name", "DNS-1123", "Oslo", "-a", "a-", "a_b", "a.b", ""],
  ["cluster.name", "32 characters", "a".repeat(33)],
  ["cluster.name", "write text", 5, null, ["a"]],
  ["cluster.region", "COUNTRY-CITY-NUMBER", "oslo", "no-osl-1", "NO"],
  ["cluster.residency", "write NO or EEA", "SE", "no", true, 1],
  ["cluster.residency", 'write "NO" in quotes', false],
  ["cluster.endpoint.host", "host name", "a b", "https://a", "-a", ""],
  ["cluster.endpoint.host", "IP address", "10.10.0.256", "10.10.0", "::1::", "fe80::1%eth0"],
  ["cluster.endpoint.host", "alone", "10.10.0.11:6443", "api.example.no:6443", "[fd00::1]"],
  ["cluster.endpoint.host", "host name", "a..b", ".a", "a-.no", `${"a".repeat(64)}.no`, "a_b"],
  ["cluster.endpoint.host", "253 characters", `${"a.".repeat(127)}no`],
  ["cluster.endpoint.port", "1 to 65535", 0, -1, 65536],
  ["cluster.endpoint.port", "whole number", 6443.5, "6443"],
  ["cluster.endpoint.virtualAddress.address", "IP address", "10.10.0.10/32", "vip", ""],
  ["cluster.endpoint.virtualAddress.routerId", "1 to 255", 0, 256, 1.5],
  [`${node}.name`, "DNS-1123", "Worker", "worker_1", "a".repeat(64)],
  [`${node}.role`, "control-plane or worker", "master", "etcd"],
  [`${node}.addresses`, "empty", []],
  [`${node}.addresses`, "too many", ["10.10.0.12", "fd00:10:10::12", "10.10.0.99"]],
  [`${node}.addresses[0]`, "IP address", "10.10.0.12/24", "10.10.0.256", "worker-1", "010.10.0.1"],
  [`${node}.addresses[1]`, "IP address", "fe80::1%eth0", "fd00::1::2"],
  [`${node}.ssh.host`, "host name", "root@host", ""],
  [`${node}.ssh.port`, "1 to 65535", 0, 70000],
  [`${node}.ssh.user`, "user", "", "-oProxyCommand=x", "a b"],
  [`${node}.ssh.hostKey`, "public host key", "SHA256:abc", "AAAA", "-----BEGIN PRIVATE KEY-----"],
  ["ssh.dialTimeoutSeconds", "1 or more", 0],
  ["ssh.dialAttempts", "1 or more", 0],
  ["ssh.bastion.hostKey", "public host key", "none"],
  ["network.vlan.subnets", "empty", []],
  ["network.vlan.subnets[0]", "CIDR", "10.10.0.5/24", "10.10.0.0", "10.10.0.0/33", "10.10.0/24"],
  ["network.vlan.gateways[0]", "IP address", "10.10.0.1/24", "router"],
  ["network.vlan.interface", "interface", "", "eth 0", "a-name-that-is-too-long"],
  ["network.podSubnets", "empty", []],
  ["network.podSubnets[1]", "CIDR", "fd00:10:244::1/56", "fd00::/129", "pods"],
  ["network.podSubnets", "too many", ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]],
  ["network.serviceSubnets[0]", "CIDR", "10.96.0.1/16", "services"],
  ["network.mtu", "1280", 1279, 0, -1],
  ["network.mtu", "9216", 9217],
  ["network.mtu", "whole number", 1500.5, "1500"],
  ["network.nodeMaskSizes.ipv4", "16", 15],
  ["network.nodeMaskSizes.ipv4", "28", 29],
  ["network.nodeMaskSizes.ipv6", "48", 47],
  ["network.nodeMaskSizes.ipv6", "120", 121],
  ["kubernetes.etcd.heartbeatMilliseconds", "50", 49],
  ["kubernetes.etcd.electionMilliseconds", "50000", 50001],
  ["kubernetes.etcd.electionMilliseconds", "less than five times", 501],
  ["kubernetes.certificates.validity", "hours or minutes", "1y", "365d", "8760", 8760, "1h30m", ""],
  ["kubernetes.certificates.validity", "below an hour or above five years", "43801h"],
  ["kubernetes.certificates.renewBefore", "hours or minutes", "60d", "-1h", "0h"],
  ["kubernetes.certificates.renewBefore", "below ten minutes or above half", "9m", "4381h"],
  ["artifacts.kubernetes.url", "http or https", "ftp://a.example", "pkgs.k8s.io", ""],
  ["artifacts.kubernetes.url", "%20", "https://a.example/a b", 'https://a.example/"'],
  ["artifacts.kubernetes.keyFingerprint", "all 40", "234654DA9A296436", "x".repeat(40), ""],
  ["artifacts.containerd.url", "http or https", "file:///tmp"],
  ["artifacts.containerd.suite", "suite", "", "a b"],
  ["artifacts.containerd.component", "component", "", "main contrib"],
  ["artifacts.containerd.keyFingerprint", "all 40", "9DC85822"],
  ["verify.clusterAdmins[0]", "subject of RBAC", "platform", "Group:", "ServiceAccount:argocd"],
  ["artifacts.charts", "http or https", "oci://quay.io/cilium"],
  ["kubernetes.version", "major.minor.patch", "1.36", "v1.36.3", "1.36.x", "latest", 1.36],
  ["kubernetes.packageRevision", "revision", "1 1", ""],
  ["kubernetes.containerd.packageVersion", "version", "", 'a"b', "a b"],
  ["kubernetes.kubelet.maxPods", "10", 9],
  ["kubernetes.kubelet.maxPods", "1000", 1001],
  ["kubernetes.kubelet.cgroupDriver", "systemd or cgroupfs", "docker"],
  ["kubernetes.kubelet.failCgroupV1", "true or false", "yes"],
  ["tuning.sysctl", "write a map", "net.ipv4.ip_forward=1"],
  ["tuning.ntpServers", "empty", []],
  ["tuning.ntpServers[0]", "host name", "ntp server"],
  ["gates.etcdFsyncP99Milliseconds", "0 or more", -1],
  ["gates.stealPercent", "number", "0.1"],
  ["gates.stealPercent", "above 100", 101],
  ["gates.diskFreePercent", "above 100", 250],
  ["gates.guestMemoryPercent", "above 100", 100.5],
  ["gates.stealWindowSeconds", "1 or more", 0],
  ["gates.stealWindowSeconds", "300", 301],
  ["cilium.version", "major.minor.patch", "1.20", "1.20.2-rc.1"],
  ["cilium.loadBalancer.mode", "dsr, hybrid or snat", "DSR", "maglev"],
  ["cilium.loadBalancer.dsrDispatch", "geneve needs a tunnel", "geneve"],
  ["cilium.loadBalancer.acceleration", "best-effort", "testing-only"],
  ["cilium.bpf.mapDynamicSizeRatio", "a share such as 0.0025", 0, -0.1, 0.6],
  ["cilium.bpf.ctTcpMax", "1024 or more", 1023],
  ["cilium.bpf.ctAnyMax", "16777216 or less", 16_777_217],
  ["cilium.bpf.natMax", "whole number", 131_072.5, "131072"],
  ["cilium.bpf.lbMapMax", "1024 or more", 0],
  ["cilium.encryption.type", "write wireguard", "ipsec", "WireGuard"],
  ["cilium.hubble.metrics.enabled[0]", "not a metric", "", "dns query"],
  ["cilium.nodeLocalDns.image", "with a tag", "k8s-dns-node-cache:1.26.5", "registry/a"],
  ["cilium.loadBalancerIPPools[0].name", "DNS-1123", "Public"],
  ["cilium.loadBalancerIPPools[0].blocks", "empty", []],
  ["cilium.loadBalancerIPPools[0].blocks[0].cidr", "CIDR", "10.10.0.200", "10.10.0.200/27"],
  ["cilium.loadBalancerIPPools[0].blocks[0].start", "IP address", "10.10.0.256", "first"],
  ["cilium.l2announcements.leaseDurationSeconds", "whole number", 1.5, "15s"],
  ["cilium.l2announcements.leaseRetryPeriodSeconds", "1 or more", 0],
  ["cilium.l2announcements.policies[0].interfaces[0]", "name an interface", ""],
  ["cilium.k8sClientRateLimit.qps", "1 or more", 0],
  ["cilium.bgpControlPlane.localASN", "1 to 4294967295", 0, 4_294_967_296],
  ["cilium.bgpControlPlane.peers[0].peerAddress", "IP address", "tor-1", "10.10.0.1/24"],
  ["cilium.bgpControlPlane.peers[0].ebgpMultihop", "1 to 255", 0, 256],
  ["cilium.bgpControlPlane.peers[0].holdTimeSeconds", "3 or more", 2],
  ["cilium.bgpControlPlane.peers[0].gracefulRestartSeconds", "4095 or less", 4096],
  ["cilium.bgpControlPlane.advertisements[0].advertisementType", "PodCIDR or Service", "Pods"],
  ["cilium.bgpControlPlane.advertisements[0].addresses[0]", "LoadBalancerIP", "NodePort"],
  ["cilium.operatorReplicas", "1 or more", 0],
  ["cilium.waitFor", "all, agents or nothing", "everything"],
  ["cilium.timeoutSeconds", "30", 29],
  ["gatewayApi.version", "1.6.1", "1.1.0", "v1.6.1"],
  ["gatewayApi.gateway.port", "1 to 65535", 0],
  ["gatewayApi.exposure", "hostNetwork or loadBalancer", "nodePort"],
  ["gatewayApi.gateways[0].addresses[0]", "IP address", "10.10.0.0/24", "public"],
  ["gatewayApi.gateways[0].listeners", "empty", []],
  ["gatewayApi.gateways[0].listeners[0].protocol", "HTTP or HTTPS", "TLS", "https"],
  ["gatewayApi.gateways[0].listeners[0].hostname", "host name", "*", "Shop.no", "a.*.no"],
  ["gatewayApi.gateways[0].listeners[0].hostname", "host names alone", "10.10.0.1"],
  [
    "gatewayApi.gateways[0].listeners[0].certificateRefs",
    "the one that Cilium serves",
    [{ name: "a" }, { name: "b" }],
  ],
  ["gatewayApi.gateways[0].listeners[0].allowedRoutes", "All or Same", "Selector"],
  ["gatewayApi.routes[0].parents", "empty", []],
  ["gatewayApi.routes[0].hostnames[0]", "host name", "https://shop.no", "shop.no:80"],
  ["gatewayApi.routes[0].rules", "empty", []],
  ["gatewayApi.routes[0].name", "DNS-1123", "Shop"],
  ["gatewayApi.routes[0].pathPrefix", "begin with /", "api"],
  ["gatewayApi.routes[0].backends", "empty", []],
  ["gatewayApi.routes[0].backends[0].weight", "0 to 100", -1, 101],
  ["gatewayApi.routes[0].backends[0].weight", "whole number", 89.5, "90"],
  ["gatewayApi.routes[0].backends[0].port", "1 to 65535", 0],
  ["policies.defaultDeny[0]", "DNS-1123", "Finance"],
  ["policies.networkPolicies[0].endpointSelector.matchLabels.app", "in quotes", 1, true],
  ["policies.networkPolicies[0].endpointSelector.matchLabels.app", "label's value", "a b", "-"],
  ["policies.networkPolicies[0].ingress[0].fromEntities[0]", "not an entity", "internet"],
  ["policies.networkPolicies[0].ingress[0].fromCIDR[0]", "CIDR", "10.0.0.1"],
  ["policies.networkPolicies[0].egress[0].toFQDNs[0].matchName", "without *", "*.no", "A.no"],
  ["policies.networkPolicies[0].egress[0].toFQDNs[0].matchPattern", "in lower case", "*.NO"],
  ["policies.networkPolicies[0].egress[0].toPorts[0].ports[0].port", "1 to 65535", 0],
  ["policies.networkPolicies[0].egress[0].toPorts[0].ports[0].protocol", "TCP, UDP", "tcp"],
];

/** What is beside a wrong field of a list that is empty by default. */
const beside: Record<string, unknown> = {
  "ssh.bastion": { host: "bastion", hostKey: key },
  "cilium.loadBalancerIPPools[0]": { name: "a", blocks: [{ cidr: "10.10.0.192/27" }] },
  "cilium.l2announcements.policies[0]": { name: "a" },
  "cilium.bgpControlPlane.peers[0]": { name: "a", peerASN: 64500, peerAddress: "10.10.0.1" },
  "cilium.bgpControlPlane.advertisements[0]": { advertisementType: "Service" },
  "gatewayApi.gateways[0]": {
    ...{ name: "edge", namespace: "infra", listeners: [{ name: "http", port: 8080 }] },
  },
  "policies.networkPolicies[0]": {
    ...{ name: "a", namespace: "shop", ingress: [] },
    egress: [{ toPorts: [{ ports: [{ port: 443 }] }] }],
  },
};

/** What a wrong field needs to be the only one that is wrong. */
const around: Record<string, Record<string, unknown>> = {
  "kubernetes.etcd.electionMilliseconds": { "kubernetes.etcd.heartbeatMilliseconds": 101 },
  "cluster.endpoint.virtualAddress.routerId": {
    "cluster.endpoint.virtualAddress.address": "10.10.0.10",
  },
  "cilium.loadBalancerIPPools": { "cilium.l2announcements.enabled": true },
  "cilium.l2announcements.policies": { "cilium.l2announcements.enabled": true },
  "cilium.bgpControlPlane": {
    "cilium.bgpControlPlane.enabled": true,
    "cilium.bgpControlPlane.localASN": 64512,
    "cilium.bgpControlPlane.peers[0]": { name: "a", peerASN: 64500, peerAddress: "10.10.0.1" },
  },
  "gatewayApi.gateways[0].addresses": {
    "gatewayApi.exposure": "loadBalancer",
    "cilium.l2announcements.enabled": true,
    "cilium.loadBalancerIPPools[0]": { name: "a", blocks: [{ cidr: "10.10.0.192/27" }] },
  },
};

const cases = wrong.flatMap(([path, says, ...values]) =>
  values.map((value) => ({ path, says, value })),
);

describe("a field", () => {
  it.each(cases)("$path: $value", ({ path, says, value }) => {
    const of = <T>(map: Record<string, T>) =>
      Object.entries(map).filter(([parent]) => path.startsWith(parent));
    const needed = Object.assign({}, ...of(around).map(([, changes]) => changes));
    const problems = problemsOf(
      stack({ ...needed, ...Object.fromEntries(of(beside)), [path]: value }),
    );
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.value).toEqual(value);
    expect(`${problems[0]?.why}; ${problems[0]?.fix}`).toContain(says);
  });

  it.each([
    ["cluster"],
    ["cluster.name"],
    ["nodes"],
    [`${node}.name`],
    [`${node}.role`],
    [`${node}.addresses`],
    [`${node}.ssh`],
    [`${node}.ssh.hostKey`],
    ["network"],
    ["network.vlan"],
    ["network.vlan.subnets"],
    ["gatewayApi.routes[0].namespace"],
    ["gatewayApi.routes[0].backends[0].port"],
  ])("%s is required", (path) => {
    expect(problemsOf(stack({ [path]: undefined }))).toEqual([
      expect.objectContaining({ path, value: undefined, why: "required" }),
    ]);
  });

  it.each([
    ["clutser"],
    ["cluster.nmae"],
    ["network.vlan.vlanId"],
    [`${node}.mac`],
    [`${node}.ssh.privateKey`],
    ["kubernetes.kubelet.maxPod"],
    ["gatewayApi.routes[0].backends[1].wieght"],
  ])("%s is unknown", (path) => {
    expect(problemsOf(stack({ [path]: "x" }))).toEqual([
      expect.objectContaining({ path, value: "x", why: "no such field" }),
    ]);
  });

  it("of a map tells which key is wrong", () => {
    const sysctl = { swappiness: "1", "vm.max_map_count": true, "kernel.core_pattern": "a\nb" };
    const registries = { "https://quay.io": "https://mirror.example.no" };
    const problems = problemsOf(stack({ "tuning.sysctl": sysctl, artifacts: { registries } }));
    expect(problems.map(({ path }) => path)).toEqual([
      'artifacts.registries["https://quay.io"]',
      "tuning.sysctl.swappiness",
      'tuning.sysctl["vm.max_map_count"]',
      'tuning.sysctl["kernel.core_pattern"]',
    ]);
    expect(problems[0]?.why).toContain("not a registry");
    expect(problems[1]?.why).toContain("not a sysctl key");
  });

  it.each([
    ["a signal that the kubelet does not have", { "memory.availabel": "100Mi" }, "not a signal"],
    ["a signal of one's own", { "disk.free": "5%" }, "not a signal"],
    [
      "a threshold without a unit that is known",
      { "memory.available": "100MB" },
      "not a threshold",
    ],
    ["a threshold with a space", { "memory.available": "15 %" }, "not a threshold"],
    ["a negative threshold", { "memory.available": "-100Mi" }, "not a threshold"],
    ["more than all", { "nodefs.available": "150%" }, "above 100%"],
    ["a number", { "pid.available": 5 }, "in quotes"],
  ])("evictionHard: %s", (_, evictionHard, says) => {
    const problems = problemsOf(stack({ "kubernetes.kubelet.evictionHard": evictionHard }));
    expect(problems.map(({ path }) => path)).toEqual([
      `kubernetes.kubelet.evictionHard["${Object.keys(evictionHard)[0]}"]`,
    ]);
    expect(`${problems[0]?.why}; ${problems[0]?.fix}`).toContain(says);
  });

  it.each(["15%", "7.5%", "100Mi", "1Gi", "500M", "1e9", "0", "1048576"])(
    "evictionHard takes %s",
    (value) => {
      const evictionHard = { "memory.available": value, "containerfs.inodesFree": "5%" };
      expect(problemsOf(stack({ "kubernetes.kubelet.evictionHard": evictionHard }))).toEqual([]);
    },
  );

  it("that a person copies with its decoration is taken without it", () => {
    const config = loadConfig(
      stack({
        [`${node}.ssh.host`]: "Worker-1.Example.NO.",
        "cluster.endpoint.host": "2001:DB8:0:1::",
        [`${node}.ssh.hostKey`]: `${key} root@worker-1\n`,
        "artifacts.charts": "https://charts.example.no/",
        "artifacts.containerd.keyFingerprint": "9dc8 5822 9fc7 dd38 854a  e2d8 8d81 803c 0ebf cd88",
        [`${node}.addresses`]: ["10.10.0.12", "FD00:10:10:0::12"],
      }),
      "test.yaml",
    );
    expect(config.nodes[1]?.ssh.hostKey).toBe(key);
    expect(config.nodes[1]?.ssh.host).toBe("worker-1.example.no");
    expect(config.cluster.endpoint).toMatchObject({ host: "2001:db8:0:1::", isAddress: true });
    expect(config.nodes[1]?.addresses).toEqual(["10.10.0.12", "fd00:10:10::12"]);
    expect(config.artifacts.charts).toBe("https://charts.example.no");
    expect(config.artifacts.containerd.keyFingerprint).toBe(
      "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
    );
  });
});
