import type { Config, GuestConfig, LibvirtConfig, NodeConfig } from "../../config/config.ts";
import type { Described } from "../step.ts";
import type { HypervisorDocument } from "./document.ts";
import type { GuestIdentity } from "./identity.ts";
import { sharedDirectory } from "./names.ts";

/** The configuration as far as machines that the program makes need it. */
export type Part = Pick<Config, "cluster" | "network" | "nodes" | "cilium"> & {
  libvirt: LibvirtConfig;
};

/** What a step on a hypervisor is for. */
export interface HypervisorTarget {
  config: Part;
  hypervisor: LibvirtConfig["hypervisors"][number];
  /** The nodes that are its guests. */
  guests: NodeConfig[];
}

/** What a step for a guest is for. */
export interface GuestTarget {
  config: Part;
  hypervisor: LibvirtConfig["hypervisors"][number];
  node: NodeConfig;
  guest: GuestConfig;
  identity: GuestIdentity;
}

/**
 * A step that runs on hypervisors: its script is steps/hypervisor/<name>.sh, and all else that is known of
 * it is here. plan/libvirt/steps/index.ts lists them in their order.
 */
export interface HypervisorStep<Target, Name extends string = string> extends Described<Name> {
  /** What a change means, where the preview shows it. */
  note: string;
  /** The files that its document may have. */
  files?: readonly string[];
  document: (target: Target) => HypervisorContent;
}

export interface HypervisorContent {
  /** What is undefined is left out. */
  vars: Record<string, string | number | boolean | undefined>;
  files?: Record<string, string>;
}

export function onHypervisor<const Name extends string>(
  definition: HypervisorStep<HypervisorTarget, Name>,
): HypervisorStep<HypervisorTarget, Name> {
  return definition;
}

export function forGuest<const Name extends string>(
  definition: HypervisorStep<GuestTarget, Name>,
): HypervisorStep<GuestTarget, Name> {
  return definition;
}

/** Makes a step's document. */
export function documentOf<Target>(
  { name, note, document }: HypervisorStep<Target>,
  target: Target,
): HypervisorDocument {
  const { vars, files = {} } = document(target);
  const given = Object.entries(vars).filter(([, value]) => value !== undefined);
  return {
    ...{ script: name, note, files },
    vars: Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
  };
}

/** The names of a guest, which its steps share. */
export function guestNames({ config, node, identity, hypervisor }: GuestTarget) {
  const { name } = config.cluster;
  return {
    ...{ CLUSTER: name, NODE: node.name, DOMAIN: `${name}-${node.name}`, UUID: identity.uuid },
    DIRECTORY: `${sharedDirectory(name, hypervisor)}/${node.name}`,
  };
}
