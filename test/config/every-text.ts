import { stack } from "../stack.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBYs7HDDdpMQwXcVQ3bO3CzgEIRs4PdFUDTeDbTGr1gY";
const selector = {
  matchLabels: { app: "front" },
  matchExpressions: [{ key: "track", operator: "In", values: ["stable"] }],
};
const rules = {
  http: [{ method: "GET", path: "/a", host: "a", headers: ["X-Region: NO"] }],
};
const dns = { dns: [{ matchName: "a.example.no" }, { matchPattern: "*.example.no" }] };
const nameServers = ["kube-dns", "node-local-dns"].map((app) => ({
  matchLabels: { "k8s:io.kubernetes.pod.namespace": "kube-system", "k8s:k8s-app": app },
}));

/** A stack with the fields of text that no stack of the golden files has; every rule is content with it. */
export const everyText = () =>
  stack({
    "cluster.endpoint.virtualAddress.address": "10.10.0.10",
    "cluster.allowedPlaces": ["*.example.no", "registry.k8s.io"],
    "network.vlan.id": 7,
    "nodes.libvirt": {
      image: { path: "/srv/image", sha512: "0a".repeat(64) },
      user: "admin",
      authorizedKeys: [hostKey],
      hypervisors: [{ name: "hv-1", ssh: { host: "hv-1.example.no", hostKey }, uplink: "eno1" }],
      pools: [
        {
          name: "guest",
          role: "worker",
          hypervisors: ["hv-1"],
          firstAddresses: ["10.10.0.21", "fd00:10:10::21"],
        },
      ],
    },
    "kubernetes.certificates": { validity: "4380h", renewBefore: "720h" },
    "artifacts.kubernetes.url": "https://mirror.example.no/kubernetes",
    "artifacts.containerd.url": "https://mirror.example.no/containerd",
    "artifacts.registries": {
      "registry.k8s.io": "https://mirror.example.no/k8s",
      "quay.io": "https://mirror.example.no/quay",
      "docker.io": "https://mirror.example.no/docker",
    },
    "artifacts.charts": "https://mirror.example.no/charts",
    "tuning.sysctl": { "kernel.threads-max": "100000" },
    "tuning.ntpServers": ["time.example.no"],
    "cilium.version": "1.20.0",
    "cilium.nodeLocalDns": {
      enabled: true,
      image: "registry.k8s.io/dns/k8s-dns-node-cache:1.26.7",
    },
    "cilium.loadBalancerIPPools": [
      { name: "a", blocks: [{ cidr: "10.10.0.64/28" }], serviceSelector: selector },
    ],
    "cilium.l2announcements": {
      enabled: true,
      policies: [{ name: "a", nodeSelector: selector, serviceSelector: selector }],
    },
    "cilium.bgpControlPlane": {
      enabled: true,
      localASN: 64512,
      nodeSelector: selector,
      peers: [{ name: "a", peerASN: 64500, peerAddress: "10.10.0.1" }],
      advertisements: [{ advertisementType: "Service", selector, addresses: ["LoadBalancerIP"] }],
    },
    "gatewayApi.gateway": { name: "a", namespace: "b" },
    "gatewayApi.routes": [
      {
        name: "short",
        namespace: "c",
        pathPrefix: "/a",
        backends: [{ name: "d", namespace: "e", port: 80 }],
      },
      {
        name: "long",
        namespace: "c",
        rules: [{ responseHeaders: { add: { "X-A": "a" } }, backends: [{ name: "d", port: 80 }] }],
      },
    ],
    "policies.networkPolicies": [
      {
        name: "a",
        namespace: "b",
        ingress: [{ fromEndpoints: [selector], toPorts: [{ ports: [{ port: 80 }], rules }] }],
        egress: [
          { toEndpoints: [selector], toPorts: [{ ports: [{ port: 80 }], rules }] },
          { toEndpoints: nameServers, toPorts: [{ ports: [{ port: 53 }], rules: dns }] },
        ],
      },
    ],
    backup: {
      targets: [
        {
          name: "sftp",
          region: "NO-OSL-2",
          sftp: { host: "sftp.example.no", user: "copies", hostKey, directory: "a/b" },
        },
        {
          name: "s3",
          region: "NO-OSL-3",
          s3: {
            endpoint: "https://s3.example.no",
            bucket: "copies",
            prefix: "a",
            location: "no-1",
          },
        },
      ],
      recipients: [hostKey],
      metricsFile: "/var/lib/a.prom",
      rehearsal: { signers: [hostKey] },
    },
    verify: {
      image: "registry.k8s.io/pause:3.10.2",
      debugImage: "docker.io/a/b:1",
      pwruImage: "docker.io/a/c:1",
      clusterAdmins: ["ServiceAccount:a/b"],
      nixAddress: "10.10.0.99",
    },
  });
