import type { GuestConfig, NodeConfig } from "../../config/config.ts";
import type { HypervisorDocument } from "./document.ts";
import { guestIdentity } from "./identity.ts";
import { documentOf, guestNames, type Part } from "./step.ts";
import { domain } from "./steps/domain.ts";
import { guest as disks } from "./steps/guest.ts";
import { live } from "./steps/live.ts";

/**
 * A guest, in three documents by what a change of them means: `guest` by replacement alone, `domain`
 * at the guest's next boot, `live` at once.
 */
export interface GuestPlan {
  hypervisor: string;
  /** Another identity is another machine: the guest is re-created. */
  identity: string;
  protected: boolean;
  guest: HypervisorDocument;
  domain: HypervisorDocument;
  live: HypervisorDocument;
}

export function guestPlan(config: Part, node: NodeConfig, guest: GuestConfig): GuestPlan {
  const hypervisor = config.libvirt.hypervisors.find(({ name }) => name === guest.hypervisor);
  if (hypervisor === undefined) throw new Error(`${node.name}: no hypervisor ${guest.hypervisor}`);
  const identity = guestIdentity(config.cluster.name, node.name, guest.generation);
  const target = { config, hypervisor, node, guest, identity };
  const { DIRECTORY } = guestNames(target);
  return {
    hypervisor: hypervisor.name,
    identity: `${identity.uuid} on ${hypervisor.name}: ${DIRECTORY}, ${guest.diskFormat}`,
    protected: guest.protected,
    guest: documentOf(disks, target),
    domain: documentOf(domain, target),
    live: documentOf(live, target),
  };
}
