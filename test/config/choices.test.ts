import { describe, expect, it } from "vitest";
import { resolve } from "../../config/config.ts";
import { compatibility, knownVersions } from "../../config/rules/versions.ts";
import { schema } from "../../config/schema.ts";
import { stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

describe("allowed places", () => {
  const places = "cluster.allowedPlaces";
  /** All that the valid stack reaches by itself. */
  const upstream = ["*.io", "*.docker.com", "*.justervesenet.no", "*.no.pool.ntp.org"];
  const listed = (changes: Record<string, unknown>, more: string[] = []) => ({
    ...changes,
    [places]: [...upstream, ...more],
  });
  const egress = (rule: object) => ({
    "policies.networkPolicies": [
      { name: "a", namespace: "a", endpointSelector: {}, egress: [rule] },
    ],
  });
  const rule = "policies.networkPolicies[0].egress[0]";
  refuses([
    {
      name: "a foreign time server",
      changes: listed({ "tuning.ntpServers": ["time.example.com"] }),
      at: ["tuning.ntpServers[0]"],
      says: "time.example.com is not in cluster.allowedPlaces",
    },
    {
      name: "a foreign mirror",
      changes: listed({ "artifacts.charts": "https://charts.example.com./x" }),
      at: ["artifacts.charts"],
      says: "charts.example.com is not",
    },
    {
      name: "a foreign registry's mirror",
      changes: listed({ "artifacts.registries": { "quay.io": "https://134744072/q" } }),
      at: ["artifacts.registries.quay.io"],
      says: "8.8.8.8 is not",
    },
    {
      name: "a foreign machine",
      changes: listed({ "nodes.existing[0].ssh.host": "8.8.8.8" }),
      at: ["nodes (node-0).ssh.host"],
      says: "8.8.8.8 is not",
    },
    {
      name: "every address",
      changes: listed(egress({ toCIDR: ["0.0.0.0/0"] })),
      at: [`${rule}.toCIDR[0]`],
      says: "0.0.0.0/0 is not",
    },
    {
      name: "a wide CIDR whose base is in the list",
      changes: listed(egress({ toCIDR: ["192.0.2.0/23"] }), ["192.0.2.0/24"]),
      at: [`${rule}.toCIDR[0]`],
      says: "192.0.2.0/23 is not",
    },
    {
      name: "the world",
      changes: listed(egress({ toEntities: ["world"] })),
      at: [`${rule}.toEntities[0]`],
      says: "0.0.0.0/0 is not",
    },
    {
      name: "a foreign name that pods may call",
      changes: listed(egress({ toFQDNs: [{ matchName: "api.example.com" }] })),
      at: [`${rule}.toFQDNs[0].matchName`],
      says: "api.example.com is not",
    },
  ]);
  takes([
    { name: "all that is in the list", changes: listed({}) },
    {
      name: "a CIDR within one of the list",
      changes: listed(egress({ toCIDR: ["192.0.2.0/25"] }), ["192.0.2.0/24"]),
    },
    { name: "anything without a list", changes: egress({ toEntities: ["world"] }) },
  ]);
});

describe("residency", () => {
  const [region, residency] = ["cluster.region", "cluster.residency"];
  refuses([
    {
      name: "Sweden where Norway is promised",
      changes: { [region]: "SE-STO-1" },
      says: "choose a region in Norway, or residency: EEA",
    },
    {
      name: "a third country where Norway is promised",
      changes: { [region]: "US-NYC-1" },
      says: "choose a region in Norway",
    },
    {
      name: "a third country where the EEA is promised",
      changes: { [region]: "GB-LON-1", [residency]: "EEA" },
      says: "GB is outside cluster.residency (EEA)",
    },
  ]);
  takes([
    { name: "Norway in the EEA", changes: { [residency]: "EEA" } },
    { name: "Iceland in the EEA", changes: { [region]: "IS-REY-1", [residency]: "EEA" } },
    { name: "no promise in the file: the EEA", changes: { cluster: { name: "test" } } },
  ]);
});

describe("versions", () => {
  refuses([
    {
      name: "a Cilium that is not in the table",
      changes: { "cilium.version": "1.19.5" },
      says: "write a version of 1.20",
    },
    {
      name: "a Kubernetes that Cilium is not tested with",
      changes: { "kubernetes.version": "1.37.0" },
      says: "Cilium 1.20 is not tested with Kubernetes 1.37",
    },
    {
      name: "one that is too old",
      changes: { "kubernetes.version": "1.32.9" },
      says: "write a version of 1.33",
    },
  ]);
  takes([{ name: "another patch", changes: { "cilium.version": "1.20.0" } }]);

  it("know the CRDs that Cilium asks for", () => {
    const config = resolve(schema.parse(stack()));
    const other = { ...config.gatewayApi, version: "1.5.0" as "1.6.1" };
    expect([...knownVersions({ ...config, gatewayApi: other })]).toEqual([
      expect.objectContaining({ path: "gatewayApi.version", fix: "write 1.6.1" }),
    ]);
  });

  it("are defaults that the table holds", () => {
    const { kubernetes, gatewayApi, cilium } = resolve(schema.parse(stack()));
    const row = compatibility[cilium.version.split(".").slice(0, 2).join(".")];
    expect(row?.kubernetes).toContain(kubernetes.minor);
    expect(row?.gatewayApi).toBe(gatewayApi.version);
  });
});

describe("kernel parameters", () => {
  const sysctl = (key: string, value: unknown) => ({ "tuning.sysctl": { [key]: value } });
  const at = (key: string) => [`tuning.sysctl["${key}"]`];
  refuses(
    (
      [
        ["net.ipv4.ip_forward", 0, "nodes route for pods"],
        ["net.ipv6.conf.all.forwarding", "0", "nodes route for pods"],
        ["net.ipv4.conf.all.rp_filter", 1, "write 0 or 2"],
        ["net.ipv4.conf.eth1.rp_filter", 1, "drops DSR's answers"],
        ["net.ipv4.conf.eth0/100.rp_filter", 1, "drops DSR's answers"],
        ["net.ipv4.conf.all.forwarding", 0, "nodes route for pods"],
        ["net.ipv4.conf.eth1.forwarding", 0, "nodes route for pods"],
        ["net.ipv4.conf.default.forwarding", "0", "nodes route for pods"],
        ["net.ipv6.conf.eth1.forwarding", "0", "nodes route for pods"],
        ["net.ipv6.conf.all.disable_ipv6", 1, "would lose its addresses"],
        ["net.ipv6.conf.eth1.disable_ipv6", "1", "would lose its addresses"],
        ["net.ipv4.icmp_echo_ignore_all", 1, "measured by ping"],
        ["kernel.modules_disabled", 1, "load modules later"],
        ["net.core.bpf_jit_enable", 0, "the datapath is BPF"],
      ] as const
    ).map(([key, value, says]) => ({
      name: `${key} = ${value}`,
      changes: sysctl(key, value),
      at: at(key),
      says,
    })),
  );
  takes([
    { name: "another value of the plan's", changes: sysctl("net.ipv4.tcp_fin_timeout", 30) },
    { name: "one of the operator's own", changes: sysctl("vm.swappiness", "10") },
    { name: "the loose filter", changes: sysctl("net.ipv4.conf.all.rp_filter", 2) },
  ]);
});

describe("routes", () => {
  const backends = "gatewayApi.routes[0].backends";
  const route = (name: string, namespace: string) => ({
    name,
    namespace,
    backends: [{ name: "v1", port: 80 }],
  });
  refuses([
    {
      name: "weights that add up to less than 100",
      changes: { [`${backends}[1].weight`]: 9 },
      at: [backends],
      says: "add up to 99",
    },
    {
      name: "weights that add up to more, one of them the default",
      changes: { [`${backends}[1].weight`]: undefined },
      at: [backends],
      says: "add up to 190",
    },
    {
      name: "the same name twice in one namespace",
      changes: { "gatewayApi.routes": [route("a", "x"), route("a", "x")] },
      at: ["gatewayApi.routes[1].name"],
      says: "namespace x has a route of that name",
    },
  ]);
  takes([
    {
      name: "the same name in two namespaces",
      changes: { "gatewayApi.routes": [route("a", "x"), route("a", "y")] },
    },
  ]);
});
