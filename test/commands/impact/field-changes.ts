import { hostKey } from "../../host-key.ts";
import { articles, type FieldChange, kvm } from "./field-change.ts";
import { changesOfServices } from "./field-changes-services.ts";

const key = hostKey;
const worker = "nodes.existing[1]";
const hypervisor = "nodes.libvirt.hypervisors[0]";
/** Its nodes are worker-1 to worker-3. */
const pool = "nodes.libvirt.pools[1]";
/** What is taken at a guest's first boot changes together with its generation. */
const recreated = {
  "nodes.libvirt.pools[0].generations": { "control-plane-1": 2 },
  [`${pool}.generations`]: { "worker-1": 2, "worker-2": 3, "worker-3": 2 },
  "nodes.libvirt.pools[2].generations": { "edge-1": 2 },
};
const route = "gatewayApi.routes[0]";
const bastion = { host: "bastion.example.no", hostKey: key("B") };

const recipient = "age13arftdf9ejnqsygnzlpdevqgzwf2ky55ga69t7e4sxftfka4qadsxtqgax";
const vault = {
  ...{ name: "vault", region: "NO-OSL-2" },
  sftp: { host: "vault.example.no", user: "copies", hostKey: key("V") },
};
const bucket = {
  ...{ name: "bucket", region: "NO-OSL-2" },
  s3: { endpoint: "https://s3.example.no", bucket: "copies" },
};
const copies = (after: Record<string, unknown>) =>
  articles(after, { "backup.targets": [vault, bucket], "backup.recipients": [recipient] });

/** Every field of the configuration, changed once. */
export const changesOfFields: Record<string, FieldChange> = {
  "cluster.name": articles({ "cluster.name": "other" }),
  "cluster.region": articles({ "cluster.region": "NO-OSL-2" }),
  "cluster.residency": { ...articles({ "cluster.residency": "EEA" }), unseen: true },
  "cluster.allowedPlaces": {
    ...articles({ "cluster.allowedPlaces": ["*.no", "*.io", "*.com", "*.org"] }),
    unseen: true,
  },
  "cluster.endpoint.host": articles({ "cluster.endpoint.host": "api.example.no" }),
  "cluster.endpoint.port": articles({ "cluster.endpoint.port": 8443 }),

  "cluster.endpoint.virtualAddress.address": articles({
    "cluster.endpoint.virtualAddress.address": "10.10.0.250",
  }),
  "cluster.endpoint.virtualAddress.routerId": articles(
    { "cluster.endpoint.virtualAddress.routerId": 7 },
    { "cluster.endpoint.virtualAddress.address": "10.10.0.250" },
  ),

  "nodes.existing": { stack: "articles", after: { "nodes.existing[2]": undefined } },
  "nodes.existing[].name": articles({ [`${worker}.name`]: "worker-9" }),
  "nodes.existing[].role": articles({
    "nodes.existing[0].role": "worker",
    [`${worker}.role`]: "control-plane",
  }),
  "nodes.existing[].addresses": articles({
    "nodes.existing[0].addresses": ["10.10.0.99", "fd00:10:10::99"],
  }),
  "nodes.existing[].ssh.host": articles({ "nodes.existing[0].ssh.host": "other.example.no" }),
  "nodes.existing[].ssh.port": articles({ [`${worker}.ssh.port`]: 2222 }),
  "nodes.existing[].ssh.user": articles({ [`${worker}.ssh.user`]: "admin" }),
  "nodes.existing[].ssh.hostKey": articles({ [`${worker}.ssh.hostKey`]: key("C") }),

  "nodes.libvirt.hypervisors": kvm({
    "nodes.libvirt.hypervisors[1]": undefined,
    "nodes.libvirt.pools[2]": undefined,
    [`${pool}.hypervisors`]: ["hv-1"],
    [`${pool}.count`]: 2,
  }),
  "nodes.libvirt.pools": kvm({ "nodes.libvirt.pools[2]": undefined }),
  "nodes.libvirt.image.url": kvm({ "nodes.libvirt.image.url": "https://example.no/other.qcow2" }),
  "nodes.libvirt.image.path": kvm({
    "nodes.libvirt.image.url": undefined,
    "nodes.libvirt.image.path": "/srv/debian.qcow2",
  }),
  "nodes.libvirt.image.sha512": kvm({ "nodes.libvirt.image.sha512": "a".repeat(128) }),
  "nodes.libvirt.domainType": kvm(
    {
      "nodes.libvirt.domainType": "qemu",
    },
    {
      "nodes.libvirt.pools[0].cpuModel": "EPYC-Milan",
      [`${pool}.cpuModel`]: "EPYC-Milan",
    },
  ),
  "nodes.libvirt.user": kvm({ "nodes.libvirt.user": "operator", ...recreated }),
  "nodes.libvirt.authorizedKeys": kvm({ "nodes.libvirt.authorizedKeys": [key("D")] }),
  "nodes.libvirt.nameservers": kvm({ "nodes.libvirt.nameservers": ["10.20.0.2"] }),
  "nodes.libvirt.hypervisors[].name": kvm({
    [`${hypervisor}.name`]: "hv-9",
    "nodes.libvirt.pools[0].hypervisors": ["hv-9"],
    [`${pool}.hypervisors`]: ["hv-9", "hv-2"],
  }),
  "nodes.libvirt.hypervisors[].ssh.host": kvm({ [`${hypervisor}.ssh.host`]: "other.example.no" }),
  "nodes.libvirt.hypervisors[].ssh.port": kvm({ [`${hypervisor}.ssh.port`]: 2222 }),
  "nodes.libvirt.hypervisors[].ssh.user": kvm({ [`${hypervisor}.ssh.user`]: "admin" }),
  "nodes.libvirt.hypervisors[].ssh.hostKey": kvm({ [`${hypervisor}.ssh.hostKey`]: key("E") }),
  "nodes.libvirt.hypervisors[].uplink": kvm({ [`${hypervisor}.uplink`]: "eno2" }),
  "nodes.libvirt.hypervisors[].storage": kvm({ [`${hypervisor}.storage`]: "/srv/other" }),
  "nodes.libvirt.hypervisors[].memoryMebibytes": kvm({ [`${hypervisor}.memoryMebibytes`]: 99999 }),
  "nodes.libvirt.hypervisors[].reservedMemoryMebibytes": kvm({
    [`${hypervisor}.reservedMemoryMebibytes`]: 4096,
  }),
  "nodes.libvirt.pools[].name": kvm({ [`${pool}.name`]: "other", [`${pool}.generations`]: {} }),
  "nodes.libvirt.pools[].role": kvm({
    "nodes.libvirt.pools[0].role": "worker",
    "nodes.libvirt.pools[2].role": "control-plane",
  }),
  "nodes.libvirt.pools[].count": kvm({ [`${pool}.count`]: 2 }),
  "nodes.libvirt.pools[].hypervisors": kvm(
    { [`${pool}.hypervisors`]: ["hv-2", "hv-1"] },
    {
      [`${pool}.cpuPinning`]: undefined,
    },
  ),
  "nodes.libvirt.pools[].firstAddresses": kvm({
    [`${pool}.firstAddresses`]: ["10.20.0.81", "fd00:10:20::81"],
    ...recreated,
  }),
  "nodes.libvirt.pools[].vcpus": kvm({ [`${pool}.vcpus`]: 1 }),
  "nodes.libvirt.pools[].memoryMebibytes": kvm({ [`${pool}.memoryMebibytes`]: 8192 }),
  "nodes.libvirt.pools[].diskGibibytes": kvm({ [`${pool}.diskGibibytes`]: 80 }),
  "nodes.libvirt.pools[].etcdDiskGibibytes": kvm({
    "nodes.libvirt.pools[0].etcdDiskGibibytes": 20,
  }),
  "nodes.libvirt.pools[].cpuPinning": kvm({ [`${pool}.cpuPinning`]: "10-13" }),
  "nodes.libvirt.pools[].cpuModel": kvm({ [`${pool}.cpuModel`]: "EPYC-Rome" }),
  "nodes.libvirt.pools[].machineType": kvm({ [`${pool}.machineType`]: "pc" }),
  "nodes.libvirt.pools[].lockedMemory": kvm({ [`${pool}.lockedMemory`]: false }),
  "nodes.libvirt.pools[].hugePages": kvm({ [`${pool}.hugePages`]: "2MiB" }),
  "nodes.libvirt.pools[].diskFormat": kvm({ [`${pool}.diskFormat`]: "raw" }),
  "nodes.libvirt.pools[].nic": kvm({ [`${pool}.nic`]: "sriov" }),
  "nodes.libvirt.pools[].protected": kvm({ [`${pool}.protected`]: true }),
  "nodes.libvirt.pools[].generations": kvm({ [`${pool}.generations`]: { "worker-2": 3 } }),

  "ssh.dialTimeoutSeconds": articles({ "ssh.dialTimeoutSeconds": 5 }),
  "ssh.dialAttempts": articles({ "ssh.dialAttempts": 2 }),
  "ssh.bastion": articles({ "ssh.bastion": bastion }),
  "ssh.bastion.host": articles(
    { "ssh.bastion.host": "other.example.no" },
    { "ssh.bastion": bastion },
  ),
  "ssh.bastion.port": articles({ "ssh.bastion.port": 2222 }, { "ssh.bastion": bastion }),
  "ssh.bastion.user": articles({ "ssh.bastion.user": "jump" }, { "ssh.bastion": bastion }),
  "ssh.bastion.hostKey": articles({ "ssh.bastion.hostKey": key("F") }, { "ssh.bastion": bastion }),

  "network.vlan.id": kvm({ "network.vlan.id": 200 }),
  "network.vlan.subnets": articles({
    "network.vlan.subnets": ["10.10.0.0/24"],
    "network.vlan.gateways": ["10.10.0.1"],
    "nodes.existing[0].addresses": ["10.10.0.11"],
    "nodes.existing[1].addresses": ["10.10.0.21"],
    "nodes.existing[2].addresses": ["10.10.0.22"],
  }),
  "network.vlan.gateways": kvm({ "network.vlan.gateways": ["10.20.0.2"] }),
  "network.vlan.interface": articles({ "network.vlan.interface": "eth2" }),
  "network.mtu": articles({ "network.mtu": 1450 }),
  "network.podSubnets": articles({ "network.podSubnets": ["10.240.0.0/16", "fd00:10:240::/56"] }),
  "network.serviceSubnets": articles({
    "network.serviceSubnets": ["10.97.0.0/16", "fd00:10:97::/112"],
  }),
  "network.nodeMaskSizes.ipv4": articles({ "network.nodeMaskSizes.ipv4": 25 }),
  "network.nodeMaskSizes.ipv6": articles({ "network.nodeMaskSizes.ipv6": 72 }),

  "artifacts.kubernetes.url": articles({ "artifacts.kubernetes.url": "https://example.no/k8s" }),
  "artifacts.kubernetes.keyFingerprint": articles({
    "artifacts.kubernetes.keyFingerprint": "A".repeat(40),
  }),
  "artifacts.containerd.url": articles({ "artifacts.containerd.url": "https://example.no/docker" }),
  // A package that names no suite fits each.
  "artifacts.containerd.suite": articles(
    { "artifacts.containerd.suite": "bookworm" },
    { "kubernetes.containerd.packageVersion": "2.4.2-1" },
  ),
  "artifacts.containerd.component": articles({ "artifacts.containerd.component": "test" }),
  "artifacts.containerd.keyFingerprint": articles({
    "artifacts.containerd.keyFingerprint": "A".repeat(40),
  }),
  "artifacts.plainHttpHosts": {
    ...articles({ "artifacts.plainHttpHosts": ["10.10.0.5"] }),
    unseen: true,
  },
  "artifacts.registries": articles({
    "artifacts.registries": { "quay.io": "https://mirror.example.no/quay" },
  }),
  "artifacts.charts": articles({ "artifacts.charts": "https://mirror.example.no/charts" }),

  "kubernetes.version": articles({ "kubernetes.version": "1.36.4" }),
  "kubernetes.packageRevision": articles({ "kubernetes.packageRevision": "2.1" }),
  "kubernetes.containerd.packageVersion": articles({
    "kubernetes.containerd.packageVersion": "2.4.2-1",
  }),
  "sharedKernel.restrictOomScoreAdj": articles({
    "sharedKernel.restrictOomScoreAdj": true,
  }),
  "kubernetes.kubelet.maxPods": articles({ "kubernetes.kubelet.maxPods": 200 }),
  "kubernetes.kubelet.failCgroupV1": articles({ "kubernetes.kubelet.failCgroupV1": false }),
  "kubernetes.kubelet.cgroupDriver": articles({ "kubernetes.kubelet.cgroupDriver": "cgroupfs" }),
  "kubernetes.kubelet.evictionHard": articles({
    "kubernetes.kubelet.evictionHard": { "memory.available": "200Mi" },
  }),
  "kubernetes.etcd.heartbeatMilliseconds": articles({
    "kubernetes.etcd.heartbeatMilliseconds": 150,
  }),
  "kubernetes.etcd.electionMilliseconds": articles({
    "kubernetes.etcd.electionMilliseconds": 2000,
  }),
  "kubernetes.automountDefaultServiceAccountToken": articles({
    "kubernetes.automountDefaultServiceAccountToken": true,
  }),
  "kubernetes.certificates.validity": articles({ "kubernetes.certificates.validity": "4380h" }),
  "kubernetes.certificates.renewBefore": articles({
    "kubernetes.certificates.renewBefore": "720h",
  }),
  "kubernetes.drainTimeoutSeconds": articles({ "kubernetes.drainTimeoutSeconds": 60 }),
  "sharedKernel.ignorePreflightErrors": articles({
    "sharedKernel.ignorePreflightErrors": ["SystemVerification"],
  }),

  "tuning.sysctl": articles({ "tuning.sysctl": { "vm.max_map_count": 262144 } }),
  "backup.targets": articles({ "backup.targets": [vault], "backup.recipients": [recipient] }),
  "backup.targets[].name": copies({ "backup.targets[0].name": "attic" }),
  "backup.targets[].region": {
    ...copies({ "backup.targets[0].region": "NO-SVG-1" }),
    unseen: true,
  },
  "backup.targets[].mayDelete": copies({ "backup.targets[0].mayDelete": false }),
  "backup.targets[].mayRead": copies({ "backup.targets[0].mayRead": false }),
  "backup.targets[].sftp.host": copies({ "backup.targets[0].sftp.host": "attic.example.no" }),
  "backup.targets[].sftp.port": copies({ "backup.targets[0].sftp.port": 2222 }),
  "backup.targets[].sftp.user": copies({ "backup.targets[0].sftp.user": "other" }),
  "backup.targets[].sftp.hostKey": copies({ "backup.targets[0].sftp.hostKey": key("X") }),
  "backup.targets[].sftp.directory": copies({ "backup.targets[0].sftp.directory": "other" }),
  "backup.targets[].s3.endpoint": copies({
    "backup.targets[1].s3.endpoint": "https://s3.example.com",
  }),
  "backup.targets[].s3.bucket": copies({ "backup.targets[1].s3.bucket": "other" }),
  "backup.targets[].s3.prefix": copies({ "backup.targets[1].s3.prefix": "other" }),
  "backup.targets[].s3.location": copies({ "backup.targets[1].s3.location": "eu-north-1" }),
  "backup.recipients": copies({ "backup.recipients": [`ssh-ed25519 ${"A".repeat(68)}`] }),
  "backup.everyMinutes": copies({ "backup.everyMinutes": 15 }),
  "backup.retention.recent": copies({ "backup.retention.recent": 48 }),
  "backup.retention.daily": copies({ "backup.retention.daily": 30 }),
  "backup.retention.weekly": copies({ "backup.retention.weekly": 12 }),
  "backup.metricsFile": copies({ "backup.metricsFile": "/var/lib/prometheus/oslo.prom" }),
  "backup.rehearsal.signers": {
    ...copies({ "backup.rehearsal.signers": [key("S")] }),
    unseen: true,
  },
  "backup.rehearsal.maxAgeHours": {
    ...copies({ "backup.rehearsal.maxAgeHours": 24 }),
    unseen: true,
  },

  "sharedKernel.hostWide": articles({ "sharedKernel.hostWide": false }),
  "tuning.ntpServers": articles({ "tuning.ntpServers": ["ntp.example.no"] }),

  "gates.etcdFsyncP99Milliseconds": articles({ "gates.etcdFsyncP99Milliseconds": 20 }),
  "gates.stealPercent": articles({ "gates.stealPercent": 1 }),
  "gates.stealWindowSeconds": articles({ "gates.stealWindowSeconds": 20 }),
  "gates.nodeRttMilliseconds": articles({ "gates.nodeRttMilliseconds": 1 }),
  "gates.clockSkewSeconds": articles({ "gates.clockSkewSeconds": 1 }),
  "gates.diskFreePercent": articles({ "gates.diskFreePercent": 30 }),
  "gates.memoryMebibytes": articles({ "gates.memoryMebibytes": 4000 }),
  "gates.softirqPercent": kvm({ "gates.softirqPercent": 60 }),
  "gates.guestMemoryPercent": kvm({ "gates.guestMemoryPercent": 95 }),
  "gates.cpus": articles({ "gates.cpus": 4 }),

  "cilium.version": articles({ "cilium.version": "1.20.3" }),
  "cilium.loadBalancer.mode": articles({ "cilium.loadBalancer.mode": "hybrid" }),
  "cilium.loadBalancer.fallback": articles({ "cilium.loadBalancer.fallback": "snat" }),
  "cilium.loadBalancer.dsrDispatch": articles({ "cilium.loadBalancer.dsrDispatch": "ipip" }),
  "cilium.loadBalancer.acceleration": articles({ "cilium.loadBalancer.acceleration": "disabled" }),
  "cilium.bandwidthManager.enabled": articles({
    "cilium.bandwidthManager.enabled": false,
    "cilium.bandwidthManager.bbr": false,
  }),
  "cilium.bandwidthManager.bbr": articles({
    "cilium.bandwidthManager.enabled": false,
    "cilium.bandwidthManager.bbr": false,
  }),
  "cilium.l7Proxy": articles(
    { "cilium.l7Proxy": false },
    { "gatewayApi.enabled": false, "gatewayApi.routes": [], "policies.networkPolicies": [] },
  ),
  "cilium.operatorReplicas": articles({ "cilium.operatorReplicas": 1 }),
  "cilium.waitFor": articles({ "cilium.waitFor": "agents" }),
  "cilium.timeoutSeconds": articles({ "cilium.timeoutSeconds": 300 }),
  "cilium.values": articles({ "cilium.values": { debug: { enabled: true } } }),

  "gatewayApi.enabled": articles({ "gatewayApi.enabled": false, "gatewayApi.routes": [] }),
  "gatewayApi.version": { ...articles({}), onlyValue: true },
  "gatewayApi.gateway.create": articles({ "gatewayApi.gateway.create": false }),
  "gatewayApi.gateway.name": articles({ "gatewayApi.gateway.name": "other" }),
  "gatewayApi.gateway.namespace": articles({ "gatewayApi.gateway.namespace": "other" }),
  "gatewayApi.gateway.port": articles({ "gatewayApi.gateway.port": 8080 }),
  "gatewayApi.routes": { stack: "articles", after: { "gatewayApi.routes": [] } },
  "gatewayApi.routes[].name": articles({ [`${route}.name`]: "other" }),
  "gatewayApi.routes[].namespace": articles({ [`${route}.namespace`]: "other" }),
  "gatewayApi.routes[].hostnames": articles({ [`${route}.hostnames`]: ["a.example.no"] }),
  "gatewayApi.routes[].pathPrefix": articles({ [`${route}.pathPrefix`]: "/other" }),
  "gatewayApi.routes[].backends": articles({
    [`${route}.backends`]: [{ name: "other", port: 1, weight: 100 }],
  }),
  "gatewayApi.routes[].backends[].name": articles({ [`${route}.backends[0].name`]: "other" }),
  "gatewayApi.routes[].backends[].port": articles({ [`${route}.backends[0].port`]: 1 }),
  "gatewayApi.routes[].backends[].weight": articles({
    [`${route}.backends[0].weight`]: 80,
    [`${route}.backends[1].weight`]: 20,
  }),
  "gatewayApi.routes[].regionHeader": articles({ [`${route}.regionHeader`]: true }),

  ...changesOfServices,
};
