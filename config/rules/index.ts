import type { Rule } from "../rule.ts";
import { endpointAddress, gatewayAddresses, nodeAddresses } from "./addresses.ts";
import { contradictions, rawValues } from "./cilium.ts";
import { distinctRoutes, weights } from "./gateway.ts";
import {
  cpuPins,
  guestMemory,
  guests,
  hypervisorNames,
  imageSource,
  pools,
  vlanId,
} from "./libvirt.ts";
import { regionInResidency } from "./residency.ts";
import { disjointSubnets, sameFamilies, subnetSizes } from "./subnets.ts";
import { controlPlanes, distinctNodes } from "./topology.ts";
import { neededSysctls } from "./tuning.ts";
import { knownVersions } from "./versions.ts";

/** Every check across fields, in the order in which a person reads the stack's file. */
export const rules: readonly Rule[] = [
  regionInResidency,
  controlPlanes,
  distinctNodes,
  vlanId,
  imageSource,
  hypervisorNames,
  pools,
  guests,
  cpuPins,
  guestMemory,
  sameFamilies,
  nodeAddresses,
  gatewayAddresses,
  endpointAddress,
  disjointSubnets,
  subnetSizes,
  knownVersions,
  neededSysctls,
  contradictions,
  rawValues,
  weights,
  distinctRoutes,
];
