import { z } from "zod";
import { field } from "../field.ts";
import { exactVersion } from "../formats.ts";

/** Cilium, in the vocabulary of its own Helm chart. */
export const cilium = z.strictObject({
  version: field(
    exactVersion.default("1.20.2"),
    "restart",
    "Version of the cilium chart and images.",
  ),
  loadBalancer: z
    .strictObject({
      mode: field(
        z
          .enum(["dsr", "hybrid", "snat"], { error: "not a mode; write dsr, hybrid or snat" })
          .default("dsr"),
        "restart",
        "How answers leave: dsr (from the backend's node), hybrid (dsr for TCP, snat for UDP) or snat.",
      ),
      fallback: field(
        z.enum(["none", "snat"], { error: "not a fallback; write none or snat" }).default("none"),
        "restart",
        "Where the network between the nodes drops what dsr and hybrid need: none refuses the cluster, snat takes that mode. Measured once, and again when a node is added; write none to have it measured anew.",
      ),
      dsrDispatch: field(
        z
          .enum(["opt", "ipip"], {
            error: "not a dispatch; write opt or ipip (geneve needs a tunnel)",
          })
          .default("opt"),
        "restart",
        "How the service's address reaches the backend's node under dsr and hybrid.",
      ),
      acceleration: field(
        z
          .enum(["disabled", "native", "best-effort"], {
            error: "not an acceleration; write disabled, native or best-effort",
          })
          .default("best-effort"),
        "restart",
        "XDP: native fails on a device that refuses it, best-effort goes on without it there.",
      ),
    })
    .prefault({}),
  bandwidthManager: z
    .strictObject({
      enabled: field(z.boolean().default(true), "restart", "Pace pods with EDT and fq."),
      bbr: field(
        z.boolean().default(true),
        "restart",
        "BBR for pods; needs the bandwidth manager.",
      ),
    })
    .prefault({}),
  l7Proxy: field(
    z.boolean().default(true),
    "restart",
    "Envoy for L7 policies, FQDN policies and the Gateway API.",
  ),
  operatorReplicas: field(
    z.int().min(1, "too few; write 1 or more").optional(),
    "live",
    "Replicas of cilium-operator. Default: 2, or 1 on a cluster of one node.",
  ),
  waitFor: field(
    z
      .enum(["all", "agents", "nothing"], { error: "not a choice; write all, agents or nothing" })
      .default("all"),
    "check",
    "What `up` waits for: all of the chart's workloads and Ready nodes, only agents, operator, DNS and Ready nodes (where Envoy's image cannot be had), or nothing.",
  ),
  timeoutSeconds: field(
    z.int().min(30).default(600),
    "check",
    "How long that wait may take, in seconds.",
  ),
  values: field(
    z.record(z.string(), z.unknown()).default({}),
    "restart",
    "Raw Helm values for what has no field here. They may not contradict what the plan sets.",
  ),
});
