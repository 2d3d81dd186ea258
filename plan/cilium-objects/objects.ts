import type { Config } from "../../config/config.ts";
import type { Manifest } from "../manifest.ts";
import { bgpObjects } from "./bgp.ts";
import { nodeLocalDnsRedirect, nodeLocalDnsWorkload } from "./node-local-dns.ts";
import { policyObjects } from "./policies.ts";
import { serviceAddressObjects } from "./service-addresses.ts";

/** What is put into the cluster once Cilium runs. */
export interface CiliumObjects {
  /** Of Kubernetes' own kinds. */
  workload: Manifest[];
  /** Of Cilium's kinds, which its operator brings along: none can be made before it has run. */
  objects: Manifest[];
}

export function ciliumObjects(config: Config): CiliumObjects {
  return {
    workload: nodeLocalDnsWorkload(config),
    objects: [
      ...serviceAddressObjects(config),
      ...bgpObjects(config),
      ...nodeLocalDnsRedirect(config),
      ...policyObjects(config),
    ],
  };
}

/** Names of the CRDs that objects of Cilium's kinds need, in order. */
export function crdsOf(objects: readonly Manifest[]): string[] {
  const names = objects.map(({ kind }) => `${plural(kind.toLowerCase())}.cilium.io`);
  return [...new Set(names)].sort();
}

function plural(word: string): string {
  return word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
}
