import type { Rule } from "../rule.ts";
import { endpointAddress, gatewayAddresses, nodeAddresses } from "./addresses.ts";
import { addressesInResidency } from "./allowed-places.ts";
import { backupTargets } from "./backup.ts";
import { contradictions, hubbleParts, mapSizes, nodeLocalDns } from "./cilium.ts";
import { leases, loadBalancerPools } from "./cilium-announcements.ts";
import { bgpPeers } from "./cilium-bgp.ts";
import { rawValues } from "./cilium-raw.ts";
import { gateways } from "./gateway.ts";
import {
  cpuPins,
  guestMemory,
  guests,
  hypervisorNames,
  imageSource,
  pools,
  vlanId,
} from "./libvirt.ts";
import { noLogins, plainHttp } from "./origins.ts";
import { outsideHosts } from "./outside-hosts.ts";
import { networkPolicies, routesIntoDenied, waitedFor } from "./policies.ts";
import { ownDnsRules } from "./policy-names.ts";
import { distinctPorts, keptPorts } from "./ports.ts";
import { regionInResidency } from "./residency.ts";
import { distinctRoutes, routeForms, routeParents, weights } from "./routes.ts";
import { disjointSubnets, sameFamilies, subnetSizes } from "./subnets.ts";
import { controlPlanes, distinctNodes } from "./topology.ts";
import { harmlessSysctls, neededSysctls } from "./tuning.ts";
import { knownVersions, matchingRepositories } from "./versions.ts";
import { virtualAddress } from "./virtual-address.ts";

/** Every check across fields, in the order in which a person reads the stack's file. */
export const rules: readonly Rule[] = [
  regionInResidency,
  addressesInResidency,
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
  virtualAddress,
  distinctPorts,
  outsideHosts,
  disjointSubnets,
  subnetSizes,
  knownVersions,
  matchingRepositories,
  plainHttp,
  noLogins,
  harmlessSysctls,
  neededSysctls,
  keptPorts,
  contradictions,
  mapSizes,
  hubbleParts,
  nodeLocalDns,
  loadBalancerPools,
  leases,
  bgpPeers,
  rawValues,
  gateways,
  routeForms,
  weights,
  distinctRoutes,
  routeParents,
  networkPolicies,
  ownDnsRules,
  routesIntoDenied,
  waitedFor,
  backupTargets,
];
