import type { Engine } from "../../lab/engine.ts";
import type { GuestAccess, GuestPlace } from "../../lab/guests/access.ts";
import type { LabFacts } from "../../lab/infrastructure.ts";

/** The lab with its guests, while they run. */
export interface Running {
  facts: LabFacts;
  engine: Engine;
  lab: GuestAccess;
}

export const first: GuestPlace = {
  name: "control-plane-1",
  address: "10.20.0.11",
  hypervisor: "hv-1",
};
export const second: GuestPlace = { name: "worker-1", address: "10.20.0.21", hypervisor: "hv-2" };
export const guests = [first, second];

export const minutes = 60_000;
/** Two guests boot at a time, in emulation, on whatever CPUs there are. */
export const bootTime = 20 * minutes;
