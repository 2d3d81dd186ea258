import type { Config } from "../../config/config.ts";
import { toldAddress } from "../address.ts";
import type { Cluster } from "../cluster.ts";
import { type Labels, labelsFor, selects } from "../selector.ts";
import { askUntil } from "../time.ts";
import { namespace } from "./namespace.ts";
import { ports, probes } from "./pods.ts";

export type Pool = Config["cilium"]["loadBalancerIPPools"][number];

/** A service of type LoadBalancer that asks a pool for addresses. */
export interface AddressService {
  pool: Pool;
  name: string;
  /** Those of the service, and those that Cilium adds before it asks selectors. */
  labels: Labels;
  families: (4 | 6)[];
  /** What it was given. */
  addresses: string[];
  /** Its addresses within the cluster. */
  clusterAddresses: string[];
  /** Why it was not given more, in Cilium's words. */
  reason: string;
}

/** How long Cilium's operator may take to give an address, in seconds. */
const giveSeconds = 30;
const mark = { "verify-service": "address" };

/** A service for each pool; it answers datagrams. A pool that takes no service of ours has one without addresses. */
export function addressServices(cluster: Cluster): Promise<AddressService[]> {
  return cluster.once("address services", async (cluster) => {
    const { loadBalancerIPPools: pools } = cluster.config.cilium;
    const asked = pools.map((pool, index) => wanted(cluster.config, pool, `address-${index}`));
    const possible = asked.filter(takes);
    if (possible.length === 0) return asked;
    await probes(cluster);
    const [first = ""] = cluster.nodes;
    await cluster.apply(possible.map((service) => manifest(service, first)));
    const hasAll = (services: AddressService[]) =>
      services.every(({ addresses, families }) => addresses.length >= families.length);
    const given = await askUntil(hasAll, giveSeconds, cluster.signal, () =>
      read(cluster, possible),
    );
    return asked.map((one) => given.find(({ name }) => name === one.name) ?? one);
  });
}

/** Whether the service's own pool takes it. */
export function takes({ pool, labels }: Pick<AddressService, "pool" | "labels">): boolean {
  return selects(pool.serviceSelector, labels);
}

/** The service with its one backend, a node's probe pod. */
export function manifest({ name, labels, families }: AddressService, backend: string): object {
  const own = Object.entries(labels).filter(([key]) => !key.startsWith(cilium));
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { ...Object.fromEntries(own), ...mark } },
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      selector: { "verify-node": backend },
      ipFamilyPolicy: families.length > 1 ? "RequireDualStack" : "SingleStack",
      ipFamilies: families.map((family) => `IPv${family}`),
      ports: [{ name: "udp", port: ports.udp, protocol: "UDP" }],
    },
  };
}

/** Labels that a service has in Cilium's eyes alone begin so. */
const cilium = "io.kubernetes.service.";

function wanted(config: Config, pool: Pool, name: string): AddressService {
  const { l2announcements, bgpControlPlane } = config.cilium;
  const fixed = { [`${cilium}namespace`]: namespace, [`${cilium}name`]: name, ...mark };
  // The pool's own selector first: who announces an address comes after who gives it.
  const selectors = [
    pool.serviceSelector,
    ...l2announcements.policies.map(({ serviceSelector }) => serviceSelector),
    ...bgpControlPlane.advertisements.map(({ selector }) => selector),
  ];
  const written = pool.blocks.map(({ cidr, start }) =>
    (cidr ?? start ?? "").includes(":") ? 6 : 4,
  );
  return {
    ...{ pool, name, labels: { ...labelsFor(selectors, fixed), ...fixed } },
    families: config.network.families.filter((family) => written.includes(family)),
    ...{ addresses: [], clusterAddresses: [], reason: "" },
  };
}

interface ServiceObject {
  metadata: { name: string };
  spec: { clusterIPs?: string[] };
  status: {
    loadBalancer?: { ingress?: { ip?: string }[] };
    conditions?: { type: string; status: string; message?: string }[];
  };
}

async function read(
  cluster: Cluster,
  services: readonly AddressService[],
): Promise<AddressService[]> {
  const [label] = Object.entries(mark).map((pair) => pair.join("="));
  const { items } = JSON.parse(
    await cluster.kubectl("-n", namespace, "get", "services", "-l", label ?? "", "-o", "json"),
  ) as { items: ServiceObject[] };
  return services.map((service) => {
    const found = items.find(({ metadata }) => metadata.name === service.name);
    const refused = found?.status.conditions?.find(
      ({ type, status }) => type === "cilium.io/IPAMRequestSatisfied" && status !== "True",
    );
    return {
      ...service,
      addresses: (found?.status.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
        ip === undefined ? [] : [toldAddress(ip, `an address of service ${service.name}`)],
      ),
      clusterAddresses: found?.spec.clusterIPs ?? [],
      reason: refused?.message ?? "",
    };
  });
}
