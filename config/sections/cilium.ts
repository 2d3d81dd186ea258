import { z } from "zod";
import { field } from "../field.ts";
import { exactVersion } from "../formats.ts";
import {
  k8sClientRateLimit,
  l2announcements,
  loadBalancerIPPools,
} from "./cilium-announcements.ts";
import { bgpControlPlane } from "./cilium-bgp.ts";
import { bpf } from "./cilium-maps.ts";

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
        "Where the network between the nodes drops what dsr and hybrid need: none refuses the cluster, snat takes that mode. Measured once, and again when a node is added; write none to have it measured again.",
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
        "XDP: native fails on a device that refuses it, best-effort continues without it there.",
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
  bpf: bpf.prefault({}),
  socketLB: z
    .strictObject({
      hostNamespaceOnly: field(
        z.boolean().optional(),
        "restart",
        "Translate services at the socket for the host alone, and at their device for pods. Default: true with the Gateway API, which forces it.",
      ),
    })
    .prefault({}),
  encryption: z
    .strictObject({
      enabled: field(z.boolean().default(false), "restart", "Encrypt between nodes."),
      type: field(
        z.enum(["wireguard"], { error: "not a type; write wireguard" }).default("wireguard"),
        "restart",
        "How; keys are the agents' own and need no care.",
      ),
      nodeEncryption: field(
        z.boolean().default(false),
        "restart",
        "Encrypt what nodes and pods of the host's network say as well, not pods alone.",
      ),
    })
    .prefault({}),
  hubble: z
    .strictObject({
      enabled: field(z.boolean().default(true), "restart", "Record flows on every node."),
      relay: z
        .strictObject({
          enabled: field(
            z.boolean().optional(),
            "live",
            "Serve the flows of all nodes at one place. Default: as hubble.enabled.",
          ),
        })
        .prefault({}),
      metrics: z
        .strictObject({
          enabled: field(
            z
              .array(
                z
                  .string()
                  .regex(
                    /^[a-zA-Z0-9-]+([:;][\w=,|:;./+-]*)?$/,
                    "not a metric; write one such as dns",
                  ),
              )
              .default([]),
            "restart",
            "Metrics of flows, as in dns, drop, flow, httpV2; port 9965 of every node. Default: none.",
          ),
        })
        .prefault({}),
    })
    .prefault({}),
  loadBalancerIPPools: field(
    loadBalancerIPPools,
    "recreate",
    "Addresses for services of type LoadBalancer. With a pool that is taken out, services lose theirs. Default: none.",
  ),
  l2announcements: l2announcements.prefault({}),
  bgpControlPlane: bgpControlPlane.prefault({}),
  k8sClientRateLimit: k8sClientRateLimit.prefault({}),
  localRedirectPolicies: z
    .strictObject({
      enabled: field(
        z.boolean().optional(),
        "restart",
        "Take CiliumLocalRedirectPolicies. Default: as nodeLocalDns.enabled.",
      ),
    })
    .prefault({}),
  nodeLocalDns: z
    .strictObject({
      enabled: field(
        z.boolean().default(false),
        "restart",
        "NodeLocal DNSCache on every node, by a local redirect policy. Worth it above 50 ms at p99.",
      ),
      image: field(
        z
          .string()
          .regex(
            /^[a-z0-9.:-]+\/[\w./-]+:[\w.-]+(@sha256:[0-9a-f]{64})?$/,
            "not an image with a tag; write registry/name:tag",
          )
          .default("registry.k8s.io/dns/k8s-dns-node-cache:1.26.5"),
        "restart",
        "Image of NodeLocal DNSCache, with its tag.",
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
    "none",
    "What `up` waits for: all of the chart's workloads and Ready nodes, only agents, operator, DNS and Ready nodes (where Envoy's image is not available), or nothing.",
  ),
  timeoutSeconds: field(
    z.int().min(30).default(600),
    "none",
    "How long that wait may take, in seconds.",
  ),
  values: field(
    z.record(z.string(), z.unknown()).default({}),
    "restart",
    "Raw Helm values for what has no field here. They may not contradict what the plan sets.",
  ),
});
