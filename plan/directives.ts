import type { Config } from "../config/config.ts";
import { ciliumDirectives } from "./cilium.ts";
import { policyDirectives } from "./cilium-objects/policies.ts";
import type { AppliedDirective, Directive } from "./directive.ts";
import { gateDirectives } from "./gates.ts";
import { gatewayDirectives } from "./gateway-api/objects.ts";
import { kernelDirectives } from "./kernel.ts";
import { kubeadmDirectives } from "./kubeadm.ts";
import { guestDirectives } from "./libvirt/directives.ts";

/** Every directive of the articles that the plan applies or corrects, each from the place where it is applied. */
export function directives(config: Config): AppliedDirective[] {
  return [
    ...kubeadmDirectives,
    ...ciliumDirectives(config),
    ...kernelDirectives(config),
    ...gateDirectives(config),
    ...guestDirectives,
    ...gatewayDirectives,
    ...policyDirectives,
  ];
}

/** What the articles ask for and this version does not do yet. */
export const openDirectives: Directive[] = [
  {
    seed: "002",
    says: "hubble observe: dropped flows, DNS latency",
    why: "Hubble and its relay run; the commands around it are not there. The field is .flow.l7.latency_ns, not .flow.l7.dns.",
  },
  {
    seed: "001",
    says: "netshoot on the host's network; ipvsadm",
    why: "Debug commands are not there. There is no IPVS to look at: cilium-dbg service list.",
  },
  { seed: "004", says: "pwru for kernel drop reasons", why: "Debug commands are not there." },
];
