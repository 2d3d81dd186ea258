import { z } from "zod";
import { field } from "../field.ts";
import { address } from "../formats.ts";

const image = z
  .string()
  .regex(/^[a-z0-9.-]+(:\d+)?\/[A-Za-z0-9._/-]+(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/, {
    error: "not an image with its registry; write one such as registry.k8s.io/pause:3.10.2",
  });

const percent = (value: number, description: string) =>
  field(
    z
      .number("not a number; write percent")
      .min(0, "negative; write percent")
      .max(100, "above 100; write percent")
      .default(value),
    "none",
    description,
  );

/** What `verify` and `debug` use, and from where on a reading breaks a promise. */
export const verify = z.strictObject({
  afterUp: field(
    z.boolean().default(false),
    "none",
    "Prove everything at the end of each `up` that changes something; a broken promise fails that `up`.",
  ),
  image: field(
    image.default("registry.k8s.io/pause:3.10.2"),
    "none",
    "Image of the probe pods. It only holds a pod's network: the nodes' own tools run in it. The default is on every node already.",
  ),
  debugImage: field(
    image.default("docker.io/nicolaka/netshoot:v0.13"),
    "none",
    "Image of `npm run debug -- <stack> pod` and `node`.",
  ),
  pwruImage: field(
    image.default("docker.io/cilium/pwru:v1.0.9"),
    "none",
    "Image of `npm run debug -- <stack> reasons`.",
  ),
  parallelism: field(
    z.int().min(1, "too few; write 1 or more").default(32),
    "none",
    "How many SSH sessions may be open at a time, on all nodes together.",
  ),
  clusterAdmins: field(
    z
      .array(
        z
          .string()
          .regex(
            /^((User|Group):\S+|ServiceAccount:[a-z0-9-]+\/[a-z0-9.-]+)$/,
            "not a subject of RBAC; write User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME",
          ),
      )
      .default([]),
    "none",
    "Who may do everything in the cluster beside kubeadm's own groups (system:masters, kubeadm:cluster-admins), such as `ServiceAccount:argocd/application-controller`. Anyone else with such a role breaks a promise. Default: nobody.",
  ),
  dnsQueries: field(
    z.int().min(10, "too few for percentiles; write 10 or more").default(200),
    "none",
    "How many names each node's probe pod asks for.",
  ),
  dnsP99Milliseconds: field(
    z.number("not a number; write one").min(0, "negative; write 0 or more").default(50),
    "none",
    "Slowest 99th percentile of a DNS answer, in milliseconds. Above it, NodeLocal DNSCache is recommended.",
  ),
  tableUsePercent: percent(
    80,
    "Fullest that nf_conntrack and Cilium's connection tables may be, in percent.",
  ),
  packetLossPercent: percent(
    0.5,
    "Most packets that may be lost between two nodes or two pods, in percent of 200.",
  ),
  softirqPercent: percent(
    50,
    "Most time that one CPU may spend in software interrupts, in percent.",
  ),
  nixAddress: field(
    address.optional(),
    "none",
    "An address at the Norwegian Internet Exchange that answers ping. Default: none, and its round trip is not proved.",
  ),
  nixRttMilliseconds: field(
    z.number("not a number; write one").min(0, "negative; write 0 or more").default(2),
    "none",
    "Longest mean round trip to that address, in milliseconds.",
  ),
});
