import { loadConfig } from "../../config/load.ts";
import { ConfigError, type Problem } from "../../config/problem.ts";
import { type Lease, templateCluster, vlanOf } from "./leases.ts";
import { moveAddresses } from "./move-addresses.ts";
import { type Machine, namespace, type Template } from "./template.ts";

type Section = Record<string, unknown>;
type Sections = Record<string, Section>;

/**
 * The configuration of one ephemeral cluster: the template's, under a name of its own, on what it was
 * given, and free to be destroyed.
 * @throws ConfigError where two clusters of this template would meet, or the result is not valid.
 */
export function deriveSections(template: Template, name: string, lease: Lease): Sections {
  const problems = [...wouldMeet(template, lease)];
  if (problems.length > 0) throw new ConfigError(template.source, problems);

  const { slot } = lease;
  const moved = slot ? move(template, vlanOf(slot).subnets) : template.sections;
  const sections = merge(structuredClone(moved), structuredClone(slot?.set ?? {})) as Sections;
  sections.cluster = { ...sections.cluster, name: `${templateCluster(template)}-${name}` };
  if (template.pool) {
    const existing = [
      ...lease.controlPlanes.map((machine) => nodeOf(machine, "control-plane")),
      ...lease.workers.map((machine) => nodeOf(machine, "worker")),
    ];
    sections.nodes = { ...sections.nodes, existing };
  }
  unprotect(sections);
  // What is there for hours is not kept.
  delete sections.backup;
  loadConfig(sections, `${template.source} as ${name}`);
  return sections;
}

function move({ sections }: Template, to: string[] | undefined): Record<string, unknown> {
  const { subnets } = vlan(sections);
  if (subnets === undefined || to === undefined) return sections;
  return moveAddresses(sections, subnets, to) as Record<string, unknown>;
}

/** What would be the same in all clusters of the template, and must not be. */
function* wouldMeet({ sections, slots, pool }: Template, { slot }: Lease): Generator<Problem> {
  const { existing = [], libvirt } = (sections.nodes ?? {}) as {
    existing?: unknown[];
    libvirt?: { pools?: { cpuPinning?: unknown }[] };
  };
  if (existing.length > 0) {
    yield {
      path: "nodes.existing",
      value: existing.length,
      why: "every cluster of this template would take these machines",
      fix: `write them as ${namespace}:pool.machines, without a role`,
    };
  }
  if (libvirt !== undefined) {
    for (const { name, set } of slots) {
      const { id, subnets } = (set.network?.vlan ?? {}) as { id?: number; subnets?: string[] };
      if (id !== undefined && subnets !== undefined) continue;
      yield {
        path: `${namespace}:slots`,
        value: name,
        why: "guests need a VLAN of their own with each cluster",
        fix: "set network.vlan.id, subnets and gateways in it",
      };
    }
    if (slots.length === 0) {
      yield {
        path: `${namespace}:slots`,
        value: undefined,
        why: "guests need a VLAN of their own with each cluster",
        fix: "describe at least one: {name: a, set: {network: {vlan: {id, subnets, gateways}}}}",
      };
    }
    const pinned = libvirt.pools?.find(({ cpuPinning }) => cpuPinning !== undefined);
    if (pinned && slot?.set.nodes === undefined) {
      yield {
        path: "nodes.libvirt.pools[].cpuPinning",
        value: pinned.cpuPinning,
        why: "guests of every cluster would be pinned to the same CPUs",
        fix: "remove it",
      };
    }
  }
  yield* sharedAddresses(sections, slot?.set ?? {}, pool !== undefined);
}

/** Addresses that clusters on one network would both answer for. */
function* sharedAddresses(sections: Section, set: Sections, hasPool: boolean): Generator<Problem> {
  const moves = vlan(set).subnets !== undefined;
  const { endpoint } = (sections.cluster ?? {}) as { endpoint?: { host?: string } };
  const own = (set.cluster?.endpoint ?? {}) as { host?: string };
  if (endpoint?.host !== undefined && own.host === undefined) {
    yield {
      path: "cluster.endpoint.host",
      value: endpoint.host,
      why: "every cluster would be reached there",
      fix: "remove it: the default is the control plane's own address",
    };
  }
  const { loadBalancerIPPools: pools } = (sections.cilium ?? {}) as {
    loadBalancerIPPools?: { blocks?: Section[] }[];
  };
  if (pools === undefined || pools.length === 0 || set.cilium?.loadBalancerIPPools) return;
  const subnets = vlan(sections).subnets ?? [];
  const stays =
    JSON.stringify(pools) ===
    JSON.stringify(moveAddresses(pools, subnets, vlan(set).subnets ?? []));
  if (moves && !stays) return;
  yield {
    path: "cilium.loadBalancerIPPools",
    value: pools.length,
    why: `two clusters ${hasPool ? "on one VLAN " : ""}would answer for the same addresses of services`,
    fix: `set it in each of ${namespace}:slots`,
  };
}

/** The template's clusters are there to be destroyed. */
function unprotect(sections: Sections): void {
  const { libvirt } = (sections.nodes ?? {}) as { libvirt?: { pools?: Section[] } };
  for (const pool of libvirt?.pools ?? []) pool.protected = false;
}

function vlan(sections: Section): { subnets?: string[] } {
  const { vlan: found } = (sections.network ?? {}) as { vlan?: { subnets?: string[] } };
  return found ?? {};
}

function nodeOf(machine: Machine, role: "control-plane" | "worker") {
  return { ...machine, role };
}

/** Maps are merged; anything else is replaced. */
function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over === undefined ? base : over;
  const keys = [...new Set([...Object.keys(base), ...Object.keys(over)])];
  return Object.fromEntries(keys.map((key) => [key, merge(base[key], over[key])]));
}

function isMap(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
