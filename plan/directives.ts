import type { Config } from "../config/config.ts";
import { ciliumDirectives } from "./cilium.ts";
import { policyDirectives } from "./cilium-objects/policies.ts";
import type { AppliedDirective, SourcedDirective } from "./directive.ts";
import { gatewayDirectives } from "./gateway-api/objects.ts";
import { hypervisorSteps } from "./libvirt/steps/index.ts";
import type { Described, Step } from "./step.ts";
import { steps } from "./steps/index.ts";

/** Every directive of the articles that the plan applies or corrects, each from the place where it is applied. */
export function directives(config: Config): SourcedDirective[] {
  return [
    ...steps.flatMap(({ name, directives }: Step) =>
      from(`plan/steps/${name}.ts`, directives?.(config) ?? []),
    ),
    ...ciliumDirectives(config),
    ...hypervisorSteps.flatMap(({ name, directives }: Described) =>
      from(`plan/libvirt/steps/${name}.ts`, directives?.(config) ?? []),
    ),
    ...from("plan/gateway-api/objects.ts", gatewayDirectives),
    ...from("plan/cilium-objects/policies.ts", policyDirectives),
    ...from("commands/debug.ts", commandDirectives),
  ];
}

function from(source: string, list: readonly AppliedDirective[]): SourcedDirective[] {
  return list.map((directive) => ({ ...directive, source }));
}

/** What the articles look into a living cluster with. */
const commandDirectives: AppliedDirective[] = [
  {
    article: "002",
    says: "hubble observe: dropped flows, DNS latency",
    applied: "npm run debug -- STACK drops; npm run verify -- STACK --only DNS",
    why: "Applied: Hubble's flows of all nodes as they come; the latency as pods see it, in percentiles, in the place of a field of flows (.flow.l7.latency_ns, not .flow.l7.dns).",
  },
  {
    article: "001",
    says: "netshoot on the host's network; ipvsadm",
    applied: "npm run debug -- STACK node NODE",
    why: "Applied, and beside a pod's containers too (pod NAMESPACE/POD). There is no IPVS to look at: cilium-dbg service list.",
  },
  {
    article: "004",
    says: "pwru for kernel drop reasons",
    applied: "npm run debug -- STACK reasons NODE",
    why: "Applied, where the nodes' registries hold verify.pwruImage.",
  },
];
