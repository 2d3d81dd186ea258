import type { Reach } from "../reach.ts";
import type { HypervisorDocument } from "./document.ts";
import { documentOf, type HypervisorTarget, type Part } from "./step.ts";
import { image } from "./steps/image.ts";
import { preflight } from "./steps/preflight.ts";
import { vlan } from "./steps/vlan.ts";

/** Everything that will be on one hypervisor before its guests. */
export interface HypervisorPlan {
  name: string;
  reach: Reach;
  /** Measured before anything is made anywhere. */
  preflight: HypervisorDocument;
  vlan: HypervisorDocument;
  image: HypervisorDocument;
}

export function hypervisorPlan(
  config: Part,
  hypervisor: HypervisorTarget["hypervisor"],
): HypervisorPlan {
  const { name, ssh } = hypervisor;
  const guests = config.nodes.filter((node) => node.guest?.hypervisor === name);
  const target = { config, hypervisor, guests };
  return {
    name,
    reach: { host: ssh.host, port: ssh.port, user: ssh.user, hostKey: ssh.hostKey },
    preflight: documentOf(preflight, target),
    vlan: documentOf(vlan, target),
    image: documentOf(image, target),
  };
}
