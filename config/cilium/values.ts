import { hostDatapath, kubeProxyFree, nativeRouting } from "./datapath.ts";
import { encryption, hubble, maps, operations, policies } from "./operations.ts";
import { gatewayApi, loadBalancing, serviceAddresses } from "./services.ts";
import type { CiliumValue } from "./value.ts";

/**
 * Cilium's Helm values, each once: the plan's settings, the rule that keeps raw values from undoing
 * them, and what a change does are read from here.
 */
export const ciliumTable: readonly CiliumValue[] = [
  ...kubeProxyFree,
  ...nativeRouting,
  ...loadBalancing,
  ...hostDatapath,
  ...maps,
  ...encryption,
  ...hubble,
  ...serviceAddresses,
  ...policies,
  ...operations,
  ...gatewayApi,
];
