import type { LoadBalancerMode } from "../plan/cilium.ts";
import type { Cluster } from "./cluster.ts";
import { notEnabled, notProved, type Verdict } from "./proof.ts";

/** The mode that the load balancer was given: the wanted one, or snat where the network allowed no more. */
export function loadBalancerMode(cluster: Cluster): Promise<LoadBalancerMode> {
  const { mode, fallback } = cluster.config.cilium.loadBalancer;
  if (fallback === "none") return Promise.resolve(mode);
  return cluster.once("mode", async ({ kubectl }) => {
    const given = await kubectl(
      ...["-n", "kube-system", "get", "configmap", "cilium-config", "-o"],
      "jsonpath={.data.bpf-lb-mode}",
    );
    return given.trim() === "snat" ? "snat" : mode;
  });
}

/** Why the backend's node does not answer clients itself, as a verdict; undefined where it is to. */
export async function whyNotDsr(cluster: Cluster): Promise<Verdict | undefined> {
  if ((await loadBalancerMode(cluster)) !== "snat") return undefined;
  return cluster.config.cilium.loadBalancer.mode === "snat"
    ? notEnabled("cilium.loadBalancer.mode is snat")
    : notProved(
        "the network between the nodes lets no DSR pass, and cilium.loadBalancer.fallback took snat",
      );
}
