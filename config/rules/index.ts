import type { Rule } from "../rule.ts";
import { contradictions, rawValues } from "./cilium.ts";
import { distinctRoutes, weights } from "./gateway.ts";
import { regionInResidency } from "./residency.ts";
import { disjointSubnets, nodeAddresses, sameFamilies, subnetSizes } from "./subnets.ts";
import { controlPlanes, distinctNodes } from "./topology.ts";
import { neededSysctls } from "./tuning.ts";
import { knownVersions } from "./versions.ts";

/** Every check across fields, in the order in which a person reads the stack's file. */
export const rules: readonly Rule[] = [
  regionInResidency,
  controlPlanes,
  distinctNodes,
  sameFamilies,
  nodeAddresses,
  disjointSubnets,
  subnetSizes,
  knownVersions,
  neededSysctls,
  contradictions,
  rawValues,
  weights,
  distinctRoutes,
];
