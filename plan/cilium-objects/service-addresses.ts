import type { Config } from "../../config/config.ts";
import type { Manifest } from "../manifest.ts";

/** Addresses for services of type LoadBalancer, and who answers for them on the VLAN. */
export function serviceAddressObjects(config: Config): Manifest[] {
  const { loadBalancerIPPools, l2announcements } = config.cilium;
  return [...loadBalancerIPPools.map(pool), ...(l2announcements.enabled ? l2Policies(config) : [])];
}

type Pool = Config["cilium"]["loadBalancerIPPools"][number];

function pool({ name, blocks, allowFirstLastIPs, serviceSelector }: Pool): Manifest {
  return {
    apiVersion: "cilium.io/v2",
    kind: "CiliumLoadBalancerIPPool",
    metadata: { name },
    spec: {
      blocks: blocks.map(({ cidr, start, stop = start }) => (cidr ? { cidr } : { start, stop })),
      allowFirstLastIPs: allowFirstLastIPs ? "Yes" : "No",
      ...(serviceSelector ? { serviceSelector } : {}),
    },
  };
}

type L2Policy = Config["cilium"]["l2announcements"]["policies"][number];

const ofWorkers = {
  matchExpressions: [{ key: "node-role.kubernetes.io/control-plane", operator: "DoesNotExist" }],
};

function l2Policies({ cilium, network, nodes }: Config): Manifest[] {
  const written: readonly Partial<L2Policy>[] = cilium.l2announcements.policies;
  const policies = written.length > 0 ? written : [{}];
  const nodeSelector = nodes.some(({ role }) => role === "worker") ? ofWorkers : undefined;
  const interfaces = [`^${network.vlan.interface.replaceAll(".", "\\.")}$`];
  return policies.map((policy) => {
    const { name = "default", externalIPs = false, loadBalancerIPs = true } = policy;
    const selected = policy.nodeSelector ?? nodeSelector;
    return {
      // 1.20 serves this kind at v2alpha1 alone.
      apiVersion: "cilium.io/v2alpha1",
      kind: "CiliumL2AnnouncementPolicy",
      metadata: { name },
      spec: {
        interfaces: policy.interfaces ?? interfaces,
        ...(selected ? { nodeSelector: selected } : {}),
        ...(policy.serviceSelector ? { serviceSelector: policy.serviceSelector } : {}),
        loadBalancerIPs,
        externalIPs,
      },
    };
  });
}
