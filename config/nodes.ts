import { nth } from "./cidr.ts";
import type { ParsedConfig } from "./schema.ts";

type Parsed = Pick<ParsedConfig, "nodes" | "cilium">;
type Libvirt = NonNullable<ParsedConfig["nodes"]["libvirt"]>;
type Pool = Libvirt["pools"][number];

/** What a node is as a KVM guest; those that exist already have none of it. */
export type GuestConfig = ReturnType<typeof guest>;

/** A node, whatever its source. */
export interface NodeConfig {
  name: string;
  role: Pool["role"];
  addresses: string[];
  /** A guest's host key is made on its hypervisor before the first boot. */
  ssh: { host: string; port: number; user: string; hostKey?: string };
  guest?: GuestConfig;
  /** Where the stack's file says so, for errors. */
  at: { name: string; addresses: (family: number) => string; allAddresses: string };
}

/** The nodes of both sources: existing ones first, then pool by pool. */
export function allNodes(parsed: Parsed): NodeConfig[] {
  const existing = parsed.nodes.existing.map((node, i) => ({
    ...node,
    ssh: { ...node.ssh, host: node.ssh.host ?? node.addresses[0] ?? node.name },
    at: {
      name: `nodes.existing[${i}].name`,
      addresses: (family: number) => `nodes.existing[${i}].addresses[${family}]`,
      allAddresses: `nodes.existing[${i}].addresses`,
    },
  }));
  const { libvirt } = parsed.nodes;
  if (libvirt === undefined) return existing;
  return [...existing, ...libvirt.pools.flatMap((pool, i) => poolNodes(pool, i, libvirt, parsed))];
}

function poolNodes(pool: Pool, index: number, libvirt: Libvirt, parsed: Parsed): NodeConfig[] {
  const at = `nodes.libvirt.pools[${index}]`;
  return Array.from({ length: pool.count }, (_, i) => {
    const addresses = pool.firstAddresses.map((first) => nth(first, i));
    return {
      name: `${pool.name}-${i + 1}`,
      role: pool.role,
      addresses,
      ssh: { host: addresses[0] ?? "", port: 22, user: libvirt.user },
      guest: guest(pool, i, libvirt, parsed),
      at: {
        name: `${at}.name`,
        addresses: (family) => `${at}.firstAddresses[${family}]`,
        allAddresses: `${at}.firstAddresses`,
      },
    };
  });
}

function guest(pool: Pool, i: number, libvirt: Libvirt, { cilium }: Parsed) {
  const name = `${pool.name}-${i + 1}`;
  const hypervisor = pool.hypervisors[i % pool.hypervisors.length] ?? "";
  // How many of the pool's nodes before this one are on the same hypervisor.
  const earlier = Array.from({ length: i }).filter(
    (_, k) => pool.hypervisors[k % pool.hypervisors.length] === hypervisor,
  ).length;
  const isControlPlane = pool.role === "control-plane";
  const xdp = cilium.loadBalancer.acceleration !== "disabled";
  return {
    hypervisor,
    generation: pool.generations[name] ?? 1,
    domainType: libvirt.domainType,
    vcpus: pool.vcpus,
    /** XDP wants a queue for each CPU to receive and one for each CPU to send. */
    queues: Math.min(256, xdp ? 2 * pool.vcpus : pool.vcpus),
    cpus: pool.cpuPinning
      ? cpusOf(pool.cpuPinning).slice(earlier * pool.vcpus, (earlier + 1) * pool.vcpus)
      : undefined,
    cpuModel: pool.cpuModel,
    machineType: pool.machineType,
    memoryMebibytes: pool.memoryMebibytes,
    lockedMemory: pool.lockedMemory,
    hugePages: pool.hugePages,
    diskFormat: pool.diskFormat,
    diskGibibytes: pool.diskGibibytes,
    etcdDiskGibibytes: isControlPlane ? (pool.etcdDiskGibibytes ?? 10) : undefined,
    nic: pool.nic,
    protected: pool.protected ?? isControlPlane,
  };
}

/** `2-4,8` as numbers, in the order written. */
export function cpusOf(set: string): number[] {
  return set.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  });
}
