import { describe, expect, it } from "vitest";
import { ciliumTable } from "../../config/cilium/values.ts";
import { schema } from "../../config/schema.ts";
import { ciliumValues } from "../../plan/cilium.ts";
import { problemsOf, stack } from "../stack.ts";
import { configOf } from "../stacks.ts";
import { refuses, takes } from "./refuses.ts";
import { fieldsOf } from "./schema-fields.ts";

describe("pairs of settings", () => {
  const manager = "cilium.bandwidthManager";
  refuses([
    {
      name: "a Gateway API without the L7 proxy",
      changes: { "cilium.l7Proxy": false },
      says: "the chart fails without it",
    },
    {
      name: "BBR without the bandwidth manager",
      changes: { [`${manager}.bbr`]: true, [`${manager}.enabled`]: false },
      says: "needs the bandwidth manager",
    },
    {
      name: "the bandwidth manager without BBR",
      changes: { [`${manager}.bbr`]: false },
      says: "sets the host's congestion control to cubic",
    },
    {
      name: "services at the socket of pods beside the Gateway API",
      changes: { "cilium.socketLB.hostNamespaceOnly": false },
      says: "forces true",
    },
    {
      name: "more operators than nodes",
      changes: { "cilium.operatorReplicas": 4 },
      says: "the cluster has 3 nodes",
    },
  ]);
  takes([
    {
      name: "neither Gateway API nor L7 proxy",
      changes: { "cilium.l7Proxy": false, "gatewayApi.enabled": false, "gatewayApi.routes": [] },
    },
    {
      name: "neither bandwidth manager nor BBR",
      changes: { [`${manager}.bbr`]: false, [`${manager}.enabled`]: false },
    },
    {
      name: "services at the socket of pods without the Gateway API",
      changes: {
        "cilium.socketLB.hostNamespaceOnly": false,
        "gatewayApi.enabled": false,
        "gatewayApi.routes": [],
      },
    },
    { name: "an operator for each node", changes: { "cilium.operatorReplicas": 3 } },
  ]);
});

describe("encryption", () => {
  const encryption = "cilium.encryption";
  const xdp = "cilium.loadBalancer.acceleration";
  const ofNodes = { [encryption]: { enabled: true, nodeEncryption: true } };
  refuses([
    {
      name: "of nodes alone",
      changes: { [`${encryption}.nodeEncryption`]: true, [xdp]: "disabled" },
      says: "nothing is encrypted",
    },
    { name: "of nodes beside XDP", changes: ofNodes, at: [xdp], says: "leave in clear" },
    {
      name: "of nodes beside XDP where it is had",
      changes: { ...ofNodes, [xdp]: "native" },
      at: [xdp],
      says: "leave in clear",
    },
    {
      name: "that leaves IPv6 too little",
      changes: { "network.mtu": 1374, [`${encryption}.enabled`]: true },
      says: "write 1375 or more",
    },
  ]);
  takes([
    { name: "of pods beside XDP", changes: { [`${encryption}.enabled`]: true } },
    { name: "of nodes without XDP", changes: { ...ofNodes, [xdp]: "disabled" } },
    {
      name: "that leaves IPv6 just enough",
      changes: { "network.mtu": 1375, [`${encryption}.enabled`]: true },
    },
  ]);
});

describe("sizes of maps", () => {
  const sizes = (natMax: number) => ({
    "cilium.bpf": { ctTcpMax: 200_000, ctAnyMax: 100_000, natMax },
  });
  refuses([
    {
      name: "more translations than connections",
      changes: sizes(300_001),
      at: ["cilium.bpf.natMax"],
      says: "write 300000 or less; two thirds",
    },
    {
      name: "more translations than a small node's connections",
      changes: { "cilium.bpf": { ctTcpMax: 200_000, natMax: 265_537 } },
      at: ["cilium.bpf.natMax"],
      says: "write 265536 or less, or give both",
    },
  ]);
  takes([
    { name: "as many translations as connections", changes: sizes(300_000) },
    { name: "translations that every node can hold", changes: { "cilium.bpf.natMax": 196_608 } },
  ]);
});

describe("Hubble", () => {
  const hubble = (value: object) => ({ "cilium.hubble": value });
  const metrics = (...enabled: string[]) => ({ enabled });
  refuses([
    {
      name: "a relay without flows",
      changes: hubble({ enabled: false, relay: { enabled: true } }),
      at: ["cilium.hubble.relay.enabled"],
      says: "no flows",
    },
    {
      name: "metrics without flows",
      changes: hubble({ enabled: false, metrics: metrics("dns") }),
      at: ["cilium.hubble.metrics.enabled"],
      says: "no flows",
    },
    {
      name: "both metrics of HTTP",
      changes: hubble({ metrics: metrics("http", "httpV2:exemplars=true") }),
      at: ["cilium.hubble.metrics.enabled"],
      says: "remove http",
    },
  ]);
  takes([
    { name: "its absence", changes: hubble({ enabled: false }) },
    { name: "metrics with options", changes: hubble({ metrics: metrics("dns:query", "httpV2") }) },
  ]);
});

describe("NodeLocal DNSCache", () => {
  const localRedirects = "cilium.localRedirectPolicies.enabled";
  refuses([
    {
      name: "no redirection to it",
      changes: { [localRedirects]: false, "cilium.nodeLocalDns.enabled": true },
      says: "CiliumLocalRedirectPolicy",
    },
  ]);
  takes([
    { name: "it", changes: { "cilium.nodeLocalDns.enabled": true } },
    { name: "redirections of one's own", changes: { [localRedirects]: true } },
  ]);
});

describe("the table of Cilium's values", () => {
  it("has each path and each option once", () => {
    const paths = ciliumTable.map(({ path }) => path);
    const options = ciliumTable.flatMap((row) => row.options ?? []);
    expect(paths).toEqual([...new Set(paths)]);
    expect(options).toEqual([...new Set(options)]);
  });

  it("names fields that there are, and a reason where there is none", () => {
    const fields = fieldsOf(schema).map(({ path }) => path);
    const isField = (name: string) =>
      fields.some((path) => path === name || path.startsWith(`${name}.`));
    const wrong = ciliumTable.filter(({ field, why }) =>
      field === undefined ? why === undefined : !isField(field),
    );
    expect(wrong).toEqual([]);
  });
});

describe("raw values", () => {
  const values = (value: unknown) => ({ "cilium.values": value });
  const at = (path: string) => [`cilium.values.${path}`];
  refuses([
    {
      name: "a tunnel by its old name",
      changes: values({ tunnel: "vxlan" }),
      at: at("tunnel"),
      says: "no such key since 1.15",
    },
    {
      name: "a tunnel by its name",
      changes: values({ tunnelProtocol: "vxlan" }),
      at: at("tunnelProtocol"),
      says: "routes natively",
    },
    {
      name: "null in the place of a map that the plan sets a part of",
      changes: values({ bpf: null }),
      at: [
        ...["masquerade", "hostLegacyRouting", "tproxy", "mapDynamicSizeRatio"],
        ...["ctTcpMax", "ctAnyMax", "natMax", "lbMapMax"],
      ].map((key) => `cilium.values.bpf.${key}`),
      says: "the plan sets this",
    },
  ]);
  refuses(
    [
      ["policyAuditMode", true],
      ["policyEnforcementMode", "never"],
      ["k8sNetworkPolicy.enabled", false],
      ["customConf", true],
      ["agent", false],
      ["operator.enabled", false],
    ].map(([path, value]) => ({
      name: `what switches enforcement or the network off: ${path}`,
      changes: { [`cilium.values.${path}`]: value },
      at: at(String(path)),
      says: "the plan sets this",
    })),
  );
  refuses(
    [[], "", 0, false, [{ mode: "snat" }]].map((value) => ({
      name: `${JSON.stringify(value)} in the place of a map that the plan sets a part of`,
      changes: values({ loadBalancer: value }),
      at: ["mode", "dsrDispatch", "acceleration"].map((key) => `cilium.values.loadBalancer.${key}`),
      says: "the plan sets this",
    })),
  );
  takes([
    {
      name: "more of the load balancer",
      changes: values({ loadBalancer: { algorithm: "maglev" } }),
    },
    { name: "more of bpf", changes: values({ bpf: { policyMapMax: 32_768 } }) },
    { name: "more of Hubble", changes: values({ hubble: { ui: { enabled: true } } }) },
    {
      name: "an option of the agent that has no field",
      changes: values({ extraConfig: { "cnp-node-status-gc-interval": "0s" } }),
    },
  ]);

  refuses(
    [
      { extraConfig: { "routing-mode": "tunnel" } },
      { extraArgs: ["--debug", "--routing-mode=tunnel"] },
      { extraEnv: [{ name: "CILIUM_ROUTING_MODE", value: "tunnel" }] },
    ].map((raw) => ({
      name: `an option of the agent by ${Object.keys(raw)[0]}`,
      changes: values(raw),
      at: at(
        raw.extraConfig
          ? "extraConfig.routing-mode"
          : raw.extraArgs
            ? "extraArgs[1]"
            : "extraEnv[0]",
      ),
      says: "the agent's option routing-mode",
    })),
  );

  // As the agent reads names: in any case, from the map, from arguments and from the environment.
  refuses(
    [
      ["extraConfig.Routing-Mode", { extraConfig: { "Routing-Mode": "tunnel" } }],
      ["extraConfig.ENABLE-POLICY", { extraConfig: { "ENABLE-POLICY": "never" } }],
      ["extraConfig.policy-audit-mode", { extraConfig: { "policy-audit-mode": "true" } }],
      [
        "extraConfig.enable-k8s-networkpolicy",
        { extraConfig: { "enable-k8s-networkpolicy": "false" } },
      ],
      [
        "extraConfig.enable-cilium-network-policy",
        { extraConfig: { "enable-cilium-network-policy": "false" } },
      ],
      ["extraArgs[0]", { extraArgs: ["--Policy-Audit-Mode"] }],
      ["extraArgs[0]", { extraArgs: [" --policy-audit-mode true"] }],
      ["extraEnv[0]", { extraEnv: [{ name: "CILIUM_POLICY_AUDIT_MODE", value: "true" }] }],
      ["extraEnv[0]", { extraEnv: [{ name: "cilium_enable_policy", value: "never" }] }],
    ].map(([path, raw]) => ({
      name: `an option in another spelling: ${JSON.stringify(raw)}`,
      changes: values(raw),
      at: at(String(path)),
      says: "the plan sets the agent's option",
    })),
  );

  // Stacks without raw values of their own, with most features off and with all of them on.
  const leaves = new Map(
    (["articles", "services"] as const)
      .flatMap((name) => leavesOf(ciliumValues(configOf(name))))
      .map((leaf) => [leaf.path, leaf]),
  );

  // A new setting of the plan without a place in the rule's table fails here.
  it.each([...leaves.values()])("may not undo $path", ({ path, raw }) => {
    const problems = problemsOf(stack(values(raw)));
    expect(problems.map((problem) => problem.path)).toEqual([
      expect.stringMatching(/^cilium\.values\./),
    ]);
    expect(`cilium.values.${path}`).toContain(problems[0]?.path);
  });
});

function leavesOf(value: unknown, keys: string[] = []): { path: string; raw: unknown }[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...keys, key]));
  }
  const raw = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), "other");
  return [{ path: keys.join("."), raw }];
}
