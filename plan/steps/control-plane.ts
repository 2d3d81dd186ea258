import { hostPort } from "../../config/cidr.ts";
import { admissionConfiguration } from "../api-server/admission.ts";
import { auditPolicy } from "../api-server/audit-policy.ts";
import { authenticationConfiguration } from "../api-server/authentication.ts";
import { encryptionConfiguration } from "../api-server/encryption.ts";
import { removedNodes } from "../api-server/removed-nodes.ts";
import { effect } from "../effect.ts";
import {
  directory,
  etcdFlags,
  etcdPeer,
  initDocument,
  joinFiles,
  localEndpoint,
  paths,
} from "../kubeadm.ts";
import { defineStep } from "../step.ts";
import { renderYaml } from "../yaml.ts";

const newCluster = effect(
  "impossible",
  "a living cluster cannot change it: put the value in use back, or make a new cluster",
);
const newAddress = effect(
  "impossible",
  "etcd and its certificates know the control plane by its address: put it back, or make a new cluster",
);
const apiServer = effect(
  "restart",
  "kube-apiserver restarts with a new certificate, and the controllers where their arguments change; the API is away for seconds, pods see nothing. Labels of nodes stay",
);

/** A control plane: it joins the one that its peers have, or makes the first where they have none. */
export const controlPlane = defineStep({
  name: "control-plane",
  resource: "control-plane",
  on: (_, { role }) => role === "control-plane",
  document(config, node) {
    const { cluster, network, kubernetes } = config;
    const { ipv4, ipv6 } = network.nodeMaskSizes;
    return {
      vars: {
        NODE: node.name,
        VERSION: kubernetes.version,
        READYZ: `https://${hostPort(node.addresses[0] as string, cluster.endpoint.port)}/readyz`,
        // Whose etcd is of the same cluster.
        PEERS: config.nodes
          .filter(({ role, name }) => role === "control-plane" && name !== node.name)
          .map(({ name, addresses }) => `${name}=https://${hostPort(addresses[0] as string, 2379)}`)
          .join(" "),
        BALANCER: `https://${localEndpoint(config)}`,
        ETCD_PEER: etcdPeer(node),
        ETCD_FLAGS: etcdFlags(config),
        // What a living cluster cannot change; the step refuses, with the old and the new value.
        IMMUTABLE_cluster_name: cluster.name,
        IMMUTABLE_cluster_endpoint_port: cluster.endpoint.port,
        IMMUTABLE_network_podSubnets: network.podSubnets.join(","),
        IMMUTABLE_network_serviceSubnets: network.serviceSubnets.join(","),
        IMMUTABLE_network_nodeMaskSizes: `${ipv4},${ipv6}`,
        IMMUTABLE_node_name: node.name,
        IMMUTABLE_kubernetes_version: kubernetes.version,
      },
      files: {
        [`${directory}/kubeadm-init.yaml`]: initDocument(config, node),
        ...joinFiles(config, node),
        // One a line: so that whoever is taken out differs from whoever is replaced.
        [`${directory}/control-planes`]: config.nodes
          .filter(({ role }) => role === "control-plane")
          .map(({ name }) => name)
          .join("\n"),
        [paths.removedNodes]: removedNodes(),
        [paths.audit]: renderYaml(auditPolicy),
        [paths.admission]: renderYaml(admissionConfiguration),
        [paths.authentication]: renderYaml(authenticationConfiguration(kubernetes.minor)),
        [paths.encryption]: renderYaml(encryptionConfiguration("__SECRETBOX_KEY__")),
      },
    };
  },
  effects: {
    default: effect("live", "kubeadm's documents are compared; nothing restarts by itself"),
    vars: {
      PEERS: effect("none", "who the others are"),
      "IMMUTABLE_*": newCluster,
      VERSION: newCluster,
      ETCD_FLAGS: effect(
        "restart",
        "etcd restarts, one control plane at a time; its API server does not answer for seconds",
      ),
      READYZ: newAddress,
      ETCD_PEER: newAddress,
    },
    files: {
      [paths.join]: effect("none", "kept for the next join"),
      [paths.discovery]: effect("none", "kept for the next join"),
      [`${directory}/control-planes`]: effect("none", "who the others are"),
      [paths.removedNodes]: effect("none", "applied when a node leaves"),
      [paths.encryption]: effect(
        "impossible",
        `a living cluster keeps ${paths.encryptionWithKey}, which holds its key: put the template back`,
      ),
      "*": apiServer,
    },
  },
  directives: () => [
    {
      article: "all",
      says: "no kube-proxy, no iptables rules for services",
      applied:
        "ClusterConfiguration proxy.disabled: true; InitConfiguration skipPhases addon/kube-proxy",
      why: "Applied: skipPhases alone does not survive `kubeadm upgrade`. Every packet through iptables is not the cost, as the articles say: only a connection's first packet walks the rules.",
    },
  ],
});
