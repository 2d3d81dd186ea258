import { domain } from "./domain.ts";
import { guest } from "./guest.ts";
import { image } from "./image.ts";
import { live } from "./live.ts";
import { preflight } from "./preflight.ts";
import { vlan } from "./vlan.ts";

/** The steps of a hypervisor, in their order. */
export const onEachHypervisor = [preflight, vlan, image] as const;

/** The steps of each of its guests, by what a change means: at replacement alone, at the next boot, at once. */
export const forEachGuest = [guest, domain, live] as const;

export const hypervisorSteps = [...onEachHypervisor, ...forEachGuest] as const;
