import type { ConfigInput } from "../../config/schema.ts";
import type { LabFacts } from "./infrastructure.ts";
import { clusterProgram, guestProgram, stackFileOf } from "./program.ts";
import { systems } from "./router.ts";
import { segment } from "./segment.ts";
import { type Overrides, removeStack, writeStack } from "./stack-file.ts";

/** Where Pulumi looks for the stack `lab`; made by each run, not part of the repository. */
export const stackFile = stackFileOf(clusterProgram);

/** Writes the `lab` stack's file: the lab's hosts and mirrors, and what a host that shares a kernel cannot do. */
export function writeStackFile(facts: LabFacts, vary: Overrides = () => {}): string {
  const config = labConfig(facts);
  vary(config);
  return writeStack(clusterProgram, config);
}

/** Forgets the stacks' files. */
export function removeStackFile(): void {
  for (const program of [clusterProgram, guestProgram]) removeStack(program);
}

/** The configuration of a cluster on all hosts of the lab. */
export function labConfig(facts: LabFacts): ConfigInput {
  const { mirrors, versions, machine } = facts;
  return {
    cluster: { name: "oslo-lab" },
    nodes: {
      existing: facts.hosts.map(({ name, address, address6, hostKey }) => ({
        name,
        role: name.startsWith("cp-") ? "control-plane" : "worker",
        addresses: [address, address6],
        ssh: { hostKey },
      })),
    },
    network: {
      vlan: {
        subnets: ["10.10.0.0/24", "fd00:10:10::/64"],
        gateways: [segment.address, segment.address6],
      },
    },
    artifacts: {
      kubernetes: {
        url: mirrors.kubernetesApt.url,
        keyFingerprint: mirrors.kubernetesApt.keyFingerprint,
      },
      containerd: mirrors.containerdApt,
      registries: {
        "registry.k8s.io": `${mirrors.registry}/registry.k8s.io`,
        "quay.io": `${mirrors.registry}/quay.io`,
      },
      charts: mirrors.charts,
      plainHttpHosts: [segment.address],
    },
    kubernetes: {
      version: versions.kubernetes,
      packageRevision: versions.kubernetesPackage.split("-")[1] ?? "1.1",
      containerd: { packageVersion: versions.containerdPackage },
      kubelet: {
        failCgroupV1: machine.cgroupVersion !== 1,
        // The hosts share one disk with everything else on the machine.
        evictionHard: {
          "memory.available": "100Mi",
          "nodefs.available": "1%",
          "imagefs.available": "1%",
        },
      },
    },
    tuning: { ntpServers: [mirrors.ntp] },
    sharedKernel: {
      hostWide: false,
      restrictOomScoreAdj: !machine.lowersOomScore,
      // kubeadm's own word for cgroup version 1.
      ignorePreflightErrors: machine.cgroupVersion === 1 ? ["SystemVerification"] : [],
    },
    // A shared and busy machine: the gates measure, and pass what a production machine must not show.
    gates: {
      stealPercent: 90,
      diskFreePercent: 5,
      nodeRttMilliseconds: 20,
      etcdFsyncP99Milliseconds: 1000,
    },
    verify: {
      softirqPercent: 90,
      dnsP99Milliseconds: 1000,
      nixRttMilliseconds: 20,
      // The one image of the lab that has a shell; the other is nowhere, as on many a site.
      nixAddress: segment.address,
      debugImage: `quay.io/cilium/cilium:v${versions.cilium}`,
      pwruImage: "quay.io/cilium/pwru:none",
    },
    cilium: {
      version: versions.cilium,
      // Every link of the lab takes it, or nothing starts.
      loadBalancer: { acceleration: "native" },
      // Its agent sets net.core.default_qdisc, which a host of the lab has not got.
      bandwidthManager: { enabled: false, bbr: false },
      // No Envoy image can be built from modules.
      waitFor: "agents",
      hubble: { relay: { enabled: true } },
      loadBalancerIPPools: [
        {
          name: "public",
          blocks: [
            { start: "10.10.0.240", stop: "10.10.0.249" },
            { start: "fd00:10:10::240", stop: "fd00:10:10::249" },
          ],
        },
      ],
      l2announcements: { enabled: true },
      bgpControlPlane: {
        enabled: true,
        localASN: systems.hosts,
        peers: [
          {
            ...{ name: "router", peerASN: systems.own, peerAddress: segment.address },
            connectRetryTimeSeconds: 5,
          },
        ],
      },
      values: {
        envoy: { enabled: false },
        // The operator makes the gateway's listeners; without Envoy an agent would wait for it to
        // take them before it gives a pod its network.
        extraArgs: ["--enable-envoy-config=false"],
        hubble: { tls: { enabled: false }, relay: { image: { useDigest: false } } },
        image: { useDigest: false },
        operator: { image: { useDigest: false } },
        ...(machine.cgroupVersion === 1
          ? { cgroup: { autoMount: { enabled: false }, hostRoot: "/sys/fs/cgroup/unified" } }
          : {}),
        ...(machine.lowersOomScore
          ? {}
          : { securityContext: { capabilities: withoutSysResource } }),
      },
    },
    gatewayApi: { exposure: "loadBalancer", routes: labRoutes },
    policies: labPolicies,
  };
}

/** The chart's own capabilities, less CAP_SYS_RESOURCE. */
const withoutSysResource = {
  ciliumAgent: [
    ..."CHOWN KILL NET_ADMIN NET_RAW IPC_LOCK SYS_MODULE SYS_ADMIN".split(" "),
    ..."DAC_OVERRIDE FOWNER SETGID SETUID SYSLOG".split(" "),
  ],
  mountCgroup: ["SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"],
  applySysctlOverwrites: ["SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"],
  cleanCiliumState: ["NET_ADMIN", "SYS_MODULE", "SYS_ADMIN"],
};

/** A namespace of a tenant: all is denied but what is named. */
const labPolicies: ConfigInput["policies"] = {
  defaultDeny: ["shop"],
  networkPolicies: [
    {
      name: "front",
      namespace: "shop",
      endpointSelector: { matchLabels: { app: "front" } },
      ingress: [{ fromEntities: ["world"], toPorts: [{ ports: [{ port: 8080 }] }] }],
      egress: [{ toFQDNs: [{ matchName: "api.example.no" }] }],
    },
  ],
};

/** A route with a split and a header, as the articles have it. */
export const labRoutes = [
  {
    name: "payment-processor",
    namespace: "finance",
    pathPrefix: "/api/v2",
    regionHeader: true,
    backends: [
      { name: "payment-service-v2", port: 8080, weight: 95 },
      { name: "payment-service-canary", port: 8080, weight: 5 },
    ],
  },
];
