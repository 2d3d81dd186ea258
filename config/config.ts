import { families, isAddress } from "./cidr.ts";
import { allNodes } from "./nodes.ts";
import type { ParsedConfig } from "./schema.ts";

/** A stack's configuration with every default filled in. */
export type Config = ReturnType<typeof resolve>;
export type { GuestConfig, NodeConfig } from "./nodes.ts";
/** A hypervisor, its image and the guests' common settings. */
export type LibvirtConfig = NonNullable<Config["libvirt"]>;

const debianImage =
  "https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2";

/** Fills in the defaults that depend on other fields. Never throws: what is wrong is for the rules to say. */
export function resolve(parsed: ParsedConfig) {
  const { network, cluster, kubernetes, artifacts } = parsed;
  const vlanFamilies = families(network.vlan.subnets);
  const nodes = allNodes(parsed);
  const firstControlPlane = nodes.find((node) => node.role === "control-plane");
  const minor = kubernetes.version.split(".").slice(0, 2).join(".");
  const { virtualAddress } = cluster.endpoint;
  const host =
    cluster.endpoint.host ?? virtualAddress?.address ?? firstControlPlane?.addresses[0] ?? "";

  return {
    ...parsed,
    tuning: { ...parsed.tuning, sysctl: sortKeys(parsed.tuning.sysctl) },
    nodes,
    libvirt: parsed.nodes.libvirt && {
      ...parsed.nodes.libvirt,
      image: {
        url: parsed.nodes.libvirt.image.path ? undefined : debianImage,
        ...parsed.nodes.libvirt.image,
      },
    },
    cluster: {
      ...cluster,
      endpoint: { host, port: cluster.endpoint.port, isAddress: isAddress(host), virtualAddress },
    },
    network: {
      ...network,
      families: vlanFamilies,
      podSubnets: network.podSubnets ?? pick(vlanFamilies, "10.244.0.0/16", "fd00:10:244::/56"),
      serviceSubnets:
        network.serviceSubnets ?? pick(vlanFamilies, "10.96.0.0/16", "fd00:10:96::/112"),
    },
    artifacts: {
      ...artifacts,
      registries: sortKeys(artifacts.registries),
      kubernetes: {
        ...artifacts.kubernetes,
        url: artifacts.kubernetes.url ?? `https://pkgs.k8s.io/core:/stable:/v${minor}/deb`,
      },
    },
    kubernetes: {
      ...kubernetes,
      minor,
      kubelet: { ...kubernetes.kubelet, evictionHard: sortKeys(kubernetes.kubelet.evictionHard) },
    },
    cilium: resolveCilium(parsed, nodes.length),
  };
}

function resolveCilium({ cilium, gatewayApi }: ParsedConfig, nodes: number) {
  const { hubble, k8sClientRateLimit, localRedirectPolicies, nodeLocalDns, socketLB } = cilium;
  const qps = k8sClientRateLimit.qps ?? (cilium.l2announcements.enabled ? 100 : 10);
  return {
    ...cilium,
    values: sortKeys(cilium.values),
    operatorReplicas: cilium.operatorReplicas ?? Math.min(2, nodes),
    socketLB: { hostNamespaceOnly: socketLB.hostNamespaceOnly ?? gatewayApi.enabled },
    hubble: { ...hubble, relay: { enabled: hubble.relay.enabled ?? hubble.enabled } },
    k8sClientRateLimit: { qps, burst: k8sClientRateLimit.burst ?? 2 * qps },
    localRedirectPolicies: { enabled: localRedirectPolicies.enabled ?? nodeLocalDns.enabled },
  };
}

function pick(order: readonly (4 | 6)[], ipv4: string, ipv6: string): string[] {
  return order.map((family) => (family === 4 ? ipv4 : ipv6));
}

/** A map that people fill comes in the order of the file, or of Pulumi's own: the plan must not depend on it. */
function sortKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sortKeys) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)])) as T;
}
