import { hostPort } from "../config/cidr.ts";
import type { Config, NodeConfig } from "../config/config.ts";
import type { AppliedDirective } from "./directive.ts";
import { effect, type StepEffects } from "./effect.ts";
import { admissionConfiguration, auditPolicy, encryptionConfiguration } from "./security.ts";
import { type StepDocument, step } from "./step.ts";
import { renderYaml } from "./yaml.ts";

const apiVersion = "kubeadm.k8s.io/v1beta4";
const criSocket = "unix:///run/containerd/containerd.sock";
/** Where the documents stay on a node, for people and for later steps. */
const directory = "/etc/oslo-cluster";
const paths = {
  audit: "/etc/kubernetes/audit-policy.yaml",
  admission: "/etc/kubernetes/admission.yaml",
  /** The template; the node fills in the key, which leaves it never. */
  encryption: `${directory}/encryption-template.yaml`,
  encryptionWithKey: "/etc/kubernetes/encryption/config.yaml",
  auditLog: "/var/log/kubernetes/audit",
};

/** `kubeadm init` on the first control-plane node. */
export function kubeadmInitStep(config: Config, node: NodeConfig): StepDocument {
  const { cluster, network, kubernetes } = config;
  return step(
    "kubeadm-init",
    {
      NODE: node.name,
      VERSION: kubernetes.version,
      READYZ: `https://${hostPort(node.addresses[0] as string, cluster.endpoint.port)}/readyz`,
      // What a living cluster cannot change; the step refuses, with the old and the new value.
      IMMUTABLE_cluster_name: cluster.name,
      IMMUTABLE_cluster_endpoint: endpoint(config),
      IMMUTABLE_network_podSubnets: network.podSubnets.join(","),
      IMMUTABLE_network_serviceSubnets: network.serviceSubnets.join(","),
      IMMUTABLE_network_nodeMaskSizes: `${network.nodeMaskSizes.ipv4},${network.nodeMaskSizes.ipv6}`,
      IMMUTABLE_node_name: node.name,
      IMMUTABLE_kubernetes_version: kubernetes.version,
    },
    {
      [`${directory}/kubeadm-init.yaml`]: renderYaml(
        initConfiguration(config, node),
        clusterConfiguration(config),
      ),
      [paths.audit]: renderYaml(auditPolicy),
      [paths.admission]: renderYaml(admissionConfiguration),
      [paths.encryption]: renderYaml(encryptionConfiguration("__SECRETBOX_KEY__")),
    },
  );
}

/** `kubeadm join` of a worker; token and CA hash are minted when it runs, and filled in on the node. */
export function kubeadmJoinStep(config: Config, node: NodeConfig): StepDocument {
  return step(
    "kubeadm-join",
    { NODE: node.name },
    {
      [`${directory}/kubeadm-join.yaml`]: renderYaml({
        apiVersion,
        kind: "JoinConfiguration",
        discovery: {
          bootstrapToken: {
            apiServerEndpoint: endpoint(config),
            token: "__TOKEN__",
            caCertHashes: ["__CA_CERT_HASH__"],
          },
        },
        nodeRegistration: nodeRegistration(config, node),
      }),
    },
  );
}

/** host:port of the API server, as nodes and kubeconfigs have it. */
export function endpoint({ cluster }: Pick<Config, "cluster">): string {
  return hostPort(cluster.endpoint.host, cluster.endpoint.port);
}

function initConfiguration(config: Config, node: NodeConfig) {
  return {
    apiVersion,
    kind: "InitConfiguration",
    localAPIEndpoint: {
      advertiseAddress: node.addresses[0],
      bindPort: config.cluster.endpoint.port,
    },
    nodeRegistration: nodeRegistration(config, node),
    // The token that init would print and keep for 24 h is not wanted: each join mints its own.
    skipPhases: ["addon/kube-proxy", "show-join-command"],
  };
}

function nodeRegistration(config: Config, node: NodeConfig) {
  return {
    name: node.name,
    criSocket,
    kubeletExtraArgs: [
      { name: "node-labels", value: `topology.kubernetes.io/region=${config.cluster.region}` },
    ],
    ...(config.kubernetes.ignorePreflightErrors.length > 0
      ? { ignorePreflightErrors: config.kubernetes.ignorePreflightErrors }
      : {}),
  };
}

function clusterConfiguration(config: Config) {
  const { cluster, network, kubernetes } = config;
  const controlPlane = config.nodes.filter((node) => node.role === "control-plane");
  return {
    apiVersion,
    kind: "ClusterConfiguration",
    clusterName: cluster.name,
    kubernetesVersion: `v${kubernetes.version}`,
    controlPlaneEndpoint: endpoint(config),
    networking: {
      podSubnet: network.podSubnets.join(","),
      serviceSubnet: network.serviceSubnets.join(","),
      dnsDomain: "cluster.local",
    },
    // Cilium serves the services. skipPhases alone would bring kube-proxy back at the next upgrade.
    proxy: { disabled: true },
    apiServer: {
      certSANs: [
        ...new Set([
          cluster.endpoint.host,
          ...controlPlane.flatMap((node) => [...node.addresses, node.ssh.host]),
        ]),
      ],
      extraArgs: args({
        "admission-control-config-file": paths.admission,
        "audit-policy-file": paths.audit,
        "audit-log-path": `${paths.auditLog}/audit.log`,
        "audit-log-maxage": "30",
        "audit-log-maxbackup": "10",
        "audit-log-maxsize": "100",
        "encryption-provider-config": paths.encryptionWithKey,
      }),
      extraVolumes: [
        mount("audit-policy", paths.audit, "File"),
        mount("admission", paths.admission, "File"),
        mount("encryption", "/etc/kubernetes/encryption", "Directory"),
        { ...mount("audit-log", paths.auditLog, "DirectoryOrCreate"), readOnly: false },
      ],
    },
    controllerManager: {
      extraArgs: args({
        "allocate-node-cidrs": "true",
        ...nodeMasks(config),
      }),
    },
  };
}

function nodeMasks({ network }: Config): Record<string, string> {
  const { ipv4, ipv6 } = network.nodeMaskSizes;
  if (network.families.length === 2) {
    return { "node-cidr-mask-size-ipv4": `${ipv4}`, "node-cidr-mask-size-ipv6": `${ipv6}` };
  }
  return { "node-cidr-mask-size": `${network.families[0] === 4 ? ipv4 : ipv6}` };
}

function args(map: Record<string, string>) {
  return Object.entries(map).map(([name, value]) => ({ name, value }));
}

function mount(name: string, path: string, pathType: string) {
  return { name, hostPath: path, mountPath: path, readOnly: true, pathType };
}

export const kubeadmDirectives: AppliedDirective[] = [
  {
    seed: "all",
    says: "no kube-proxy, no iptables rules for services",
    applied:
      "ClusterConfiguration proxy.disabled: true; InitConfiguration skipPhases addon/kube-proxy",
    why: "Applied: skipPhases alone does not survive `kubeadm upgrade`. Every packet through iptables is not the cost, as the articles say: only a connection's first packet walks the rules.",
  },
];

const newCluster = effect(
  "impossible",
  "a living cluster cannot change it: put the value in use back, or make a new cluster",
);
const apiServer = effect(
  "restart",
  "kube-apiserver restarts with a certificate made anew, and the controllers where their arguments change; the API is away for seconds, pods see nothing. Labels of nodes stay",
);

export const kubeadmInitEffects: StepEffects = {
  again: effect("live", "kubeadm's documents are compared; nothing restarts by itself"),
  vars: {
    "IMMUTABLE_*": newCluster,
    VERSION: newCluster,
    READYZ: effect(
      "impossible",
      "etcd and its certificates know the control plane by its address: put it back, or make a new cluster",
    ),
  },
  files: {
    [paths.encryption]: effect(
      "impossible",
      `a living cluster keeps ${paths.encryptionWithKey}, which holds its key: put the template back`,
    ),
    "*": apiServer,
  },
};

export const kubeadmJoinEffects: StepEffects = {
  again: effect("check", "kept for the next join; a node that has joined stays as it is"),
};
