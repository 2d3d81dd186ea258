import { hostPort } from "../config/cidr.ts";
import type { Config, NodeConfig } from "../config/config.ts";
import { apiBalancerAddress, apiBalancerPort } from "../config/ports.ts";
import { hardening } from "./api-server/hardening.ts";
import { renderYaml } from "./yaml.ts";

/** etcd's own default, and kubeadm's. */
const etcdPeerPort = 2380;

const apiVersion = "kubeadm.k8s.io/v1beta4";
const criSocket = "unix:///run/containerd/containerd.sock";
/** Where the documents stay on a node, for people and for later steps. */
export const directory = "/etc/oslo-cluster";
export const paths = {
  join: `${directory}/kubeadm-join.yaml`,
  /** The template of the kubeconfig that a join begins with. */
  discovery: `${directory}/kubeadm-discovery.yaml`,
  /** What refuses those who have left. */
  removedNodes: `${directory}/removed-nodes.yaml`,
  authentication: "/etc/kubernetes/authentication.yaml",
  audit: "/etc/kubernetes/audit-policy.yaml",
  admission: "/etc/kubernetes/admission.yaml",
  /** The template; the node fills in the key, which leaves it never. */
  encryption: `${directory}/encryption-template.yaml`,
  encryptionWithKey: "/etc/kubernetes/encryption/config.yaml",
  auditLog: "/var/log/kubernetes/audit",
};

/** What `kubeadm init` takes, and what later reads of the whole cluster are made from. */
export function initDocument(config: Config, node: NodeConfig): string {
  return renderYaml(initConfiguration(config, node), clusterConfiguration(config));
}

/** The files of a join. The node fills in what is minted when it runs: token and CA. */
export function joinFiles(config: Config, node: NodeConfig): Record<string, string> {
  return {
    [paths.join]: joinDocument(config, node),
    [paths.discovery]: discoveryDocument(config),
  };
}

function joinDocument(config: Config, node: NodeConfig): string {
  return renderYaml({
    apiVersion,
    kind: "JoinConfiguration",
    // By a file: discovery by a token reads cluster-info, which the API server shows to nobody
    // without a credential.
    discovery: { file: { kubeConfigPath: "__DISCOVERY__" } },
    ...(node.role === "control-plane"
      ? {
          controlPlane: { localAPIEndpoint: localApiEndpoint(config, node) },
          // How long its etcd may take to start and to catch up; by default 2 minutes, too few on busy cores.
          timeouts: { etcdAPICall: "5m0s" },
        }
      : {}),
    nodeRegistration: nodeRegistration(config, node),
  });
}

function discoveryDocument(config: Config): string {
  const name = "join";
  return renderYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: {
          server: `https://${localEndpoint(config)}`,
          "certificate-authority-data": "__CA_CERTIFICATE__",
        },
      },
    ],
    users: [{ name, user: { token: "__TOKEN__" } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}

/** For the `mint-join` of a peer. Of a control plane: what it takes out of etcd first is what an earlier join of this node has left. */
export function mintArguments(node: NodeConfig): string {
  const named = `${node.role} ${node.name}`;
  return node.role === "worker" ? named : `${named} ${etcdPeer(node)}`;
}

/** Where a control plane's etcd is to the others. */
export function etcdPeer({ addresses }: NodeConfig): string {
  return `https://${hostPort(addresses[0] as string, etcdPeerPort)}`;
}

/** host:port of the API server, as kubeconfigs have it. */
export function endpoint({ cluster }: Pick<Config, "cluster">): string {
  return hostPort(cluster.endpoint.host, cluster.endpoint.port);
}

/** host:port at which a node finds the API. */
export function localEndpoint(config: Pick<Config, "network">): string {
  return hostPort(apiBalancerAddress(config), apiBalancerPort);
}

function endpointNames({ host, virtualAddress }: Config["cluster"]["endpoint"]): string[] {
  return [...new Set([host, ...(virtualAddress ? [virtualAddress.address] : [])])];
}

function initConfiguration(config: Config, node: NodeConfig) {
  return {
    apiVersion,
    kind: "InitConfiguration",
    localAPIEndpoint: localApiEndpoint(config, node),
    nodeRegistration: nodeRegistration(config, node),
    // The token that init would print and keep for 24 h is not wanted: each join mints its own.
    skipPhases: ["addon/kube-proxy", "show-join-command"],
  };
}

function localApiEndpoint({ cluster }: Config, { addresses }: NodeConfig) {
  return { advertiseAddress: addresses[0], bindPort: cluster.endpoint.port };
}

function nodeRegistration(config: Config, node: NodeConfig) {
  return {
    name: node.name,
    criSocket,
    kubeletExtraArgs: [
      { name: "node-labels", value: `topology.kubernetes.io/region=${config.cluster.region}` },
    ],
    ...(config.sharedKernel.ignorePreflightErrors.length > 0
      ? { ignorePreflightErrors: config.sharedKernel.ignorePreflightErrors }
      : {}),
  };
}

function clusterConfiguration(config: Config) {
  const { cluster, network, kubernetes } = config;
  return {
    apiVersion,
    kind: "ClusterConfiguration",
    clusterName: cluster.name,
    kubernetesVersion: `v${kubernetes.version}`,
    certificateValidityPeriod: kubernetes.certificates.validity,
    // Every node has its own balancer there; people and Pulumi have cluster.endpoint.
    controlPlaneEndpoint: localEndpoint(config),
    networking: {
      podSubnet: network.podSubnets.join(","),
      serviceSubnet: network.serviceSubnets.join(","),
      dnsDomain: "cluster.local",
    },
    etcd: { local: { extraArgs: args(etcdArguments(config)) } },
    // Cilium serves the services. skipPhases alone would bring kube-proxy back at the next upgrade.
    proxy: { disabled: true },
    apiServer: {
      // Of each control plane its own, the balancer's and this: the certificate does not grow with them.
      certSANs: endpointNames(cluster.endpoint),
      extraArgs: args({
        "admission-control-config-file": paths.admission,
        "audit-policy-file": paths.audit,
        "authentication-config": paths.authentication,
        "audit-log-path": `${paths.auditLog}/audit.log`,
        "audit-log-maxage": "30",
        "audit-log-maxbackup": "10",
        "audit-log-maxsize": "100",
        "encryption-provider-config": paths.encryptionWithKey,
        // A rotation of its key restarts nothing.
        "encryption-provider-config-automatic-reload": "true",
        // Every kubelet has a certificate of this CA before a living cluster gets the flag: steps/kubelet.sh.
        "kubelet-certificate-authority": "/etc/kubernetes/pki/ca.crt",
        ...hardening.apiServer,
      }),
      extraVolumes: [
        mount("audit-policy", paths.audit, "File"),
        mount("admission", paths.admission, "File"),
        mount("authentication", paths.authentication, "File"),
        mount("encryption", "/etc/kubernetes/encryption", "Directory"),
        { ...mount("audit-log", paths.auditLog, "DirectoryOrCreate"), readOnly: false },
      ],
    },
    controllerManager: {
      extraArgs: args({
        "allocate-node-cidrs": "true",
        "cluster-signing-duration": kubernetes.certificates.validity,
        ...nodeMasks(config),
        ...hardening.controllers,
      }),
    },
    scheduler: { extraArgs: args(hardening.controllers) },
  };
}

/** What etcd is given beyond kubeadm's own, by flag. */
function etcdArguments({ kubernetes: { etcd } }: Config): Record<string, string> {
  return {
    "election-timeout": String(etcd.electionMilliseconds),
    "heartbeat-interval": String(etcd.heartbeatMilliseconds),
    // A member without its data is to find the others, and not to begin a cluster of its own.
    "initial-cluster-state": "existing",
  };
}

/** The same as the command line has them, one after the other. */
export function etcdFlags(config: Config): string {
  return Object.entries(etcdArguments(config))
    .map(([name, value]) => `--${name}=${value}`)
    .join(" ");
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
