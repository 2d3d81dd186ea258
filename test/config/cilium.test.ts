import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { ciliumValues } from "../../plan/cilium.ts";
import { problemsOf, stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

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
      name: "node encryption beside XDP",
      changes: { "cilium.values": { encryption: { nodeEncryption: true } } },
      at: ["cilium.loadBalancer.acceleration"],
      says: "leave in clear",
    },
  ]);
  takes([
    {
      name: "neither Gateway API nor L7 proxy",
      changes: { "cilium.l7Proxy": false, "gatewayApi.enabled": false },
    },
    {
      name: "neither bandwidth manager nor BBR",
      changes: { [`${manager}.bbr`]: false, [`${manager}.enabled`]: false },
    },
    {
      name: "node encryption without XDP",
      changes: {
        "cilium.values": { encryption: { nodeEncryption: true } },
        "cilium.loadBalancer.acceleration": "disabled",
      },
    },
  ]);
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
      at: at("bpf.masquerade").concat(at("bpf.hostLegacyRouting"), at("bpf.tproxy")),
      says: "the plan sets this",
    },
  ]);
  takes([
    {
      name: "more of the load balancer",
      changes: values({ loadBalancer: { algorithm: "maglev" } }),
    },
    { name: "more of bpf", changes: values({ bpf: { mapDynamicSizeRatio: 0.005 } }) },
    { name: "Hubble", changes: values({ hubble: { relay: { enabled: true } } }) },
  ]);

  const config = loadConfig(stack(), "test.yaml");
  const leaves = leavesOf(ciliumValues(config));

  // A new setting of the plan without a place in the rule's table fails here.
  it.each(leaves)("may not undo $path", ({ path, raw }) => {
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
