import { hostDatapath, kubeProxyFree } from "./datapath.ts";
import { nativeRouting } from "./native-routing.ts";
import { encryption, hubble, maps, operations, policies } from "./operations.ts";
import { gatewayApi, loadBalancing, serviceAddresses } from "./services.ts";
import type { CiliumValue } from "./value.ts";

/**
 * Cilium's Helm values, each once: the plan's settings, the rule that keeps raw values from undoing
 * them, and what a change does are read from here.
 */
export const ciliumTable = [
  ...from("datapath", kubeProxyFree),
  ...from("native-routing", nativeRouting),
  ...from("services", loadBalancing),
  ...from("datapath", hostDatapath),
  ...from("operations", maps, encryption, hubble),
  ...from("services", serviceAddresses),
  ...from("operations", policies, operations),
  ...from("services", gatewayApi),
];

/** Values with the file of this folder that has them. */
function from(file: string, ...lists: CiliumValue[][]): (CiliumValue & { source: string })[] {
  return lists.flat().map((value) => ({ source: `config/cilium/${file}.ts`, ...value }));
}
