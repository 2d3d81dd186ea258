import { afterEach, describe, expect, it, vi } from "vitest";
import type { ConfigInput } from "../../config/schema.ts";
import type { Proof } from "../../verify/proof.ts";
import { addressPoolsProof } from "../../verify/proofs/address-pools.ts";
import { bgpProof } from "../../verify/proofs/bgp.ts";
import { l2AnnouncementsProof } from "../../verify/proofs/l2-announcements.ts";
import { nodeLocalDnsProof } from "../../verify/proofs/node-local-dns.ts";
import { labelsFor, selects } from "../../verify/selector.ts";
import { type Answers, addressService, session } from "./healthy.ts";
import type { SimulatedOptions } from "./simulated.ts";
import { run, stopTime, verdictOf } from "./virtual.ts";

afterEach(() => {
  vi.useRealTimers();
});

type Cilium = NonNullable<ConfigInput["cilium"]>;

const withCilium =
  (cilium: Cilium) =>
  (config: ConfigInput): void => {
    config.cilium = cilium;
  };

const l2announcements = { enabled: true };
const pool = (name: string, start: string, tier?: string) => ({
  ...{ name, blocks: [{ start, stop: `${start}0` }] },
  ...(tier ? { serviceSelector: { matchLabels: { tier } } } : {}),
});
const gave = (...services: [string, string][]): Answers => [
  [
    "-l verify-service=address",
    JSON.stringify({
      items: services.map(([name, ip]) => ({ ...addressService(ip), metadata: { name } })),
    }),
  ],
];

describe("addresses of pools", () => {
  const twoTiers = withCilium({
    loadBalancerIPPools: [pool("inner", "10.10.8.1", "inner"), pool("outer", "10.10.9.1", "outer")],
    l2announcements,
  });

  it("are asked of each pool, by a service with its labels", async () => {
    const sick = gave(["address-0", "10.10.8.1"], ["address-1", "10.10.9.10"]);
    stopTime();
    const { rows, asked } = await run([addressPoolsProof], { vary: twoTiers, sick });
    expect(rows).toMatchObject([
      { verdict: "pass", reading: "inner: 10.10.8.1; outer: 10.10.9.10" },
    ]);
    const made = asked.find((question) => question.includes('"LoadBalancer"')) ?? "";
    const { items } = JSON.parse(made.slice(made.indexOf("{"))) as {
      items: { metadata: { labels: Record<string, string> }; spec: { ipFamilies: string[] } }[];
    };
    expect(items.map(({ metadata }) => metadata.labels.tier)).toEqual(["inner", "outer"]);
    expect(items.map(({ spec }) => spec.ipFamilies)).toEqual([["IPv4"], ["IPv4"]]);
  });

  it("that come from a pool that does not take the service break the promise", async () => {
    const sick = gave(["address-0", "10.10.9.2"], ["address-1", "10.10.9.1"]);
    expect(await verdictOf(addressPoolsProof, { vary: twoTiers, sick })).toEqual({
      verdict: "fail",
      reading: "inner: 10.10.9.2 was given, of outer, which does not take the service",
    });
  });
});

const withBgp = (more: Cilium["bgpControlPlane"]) =>
  withCilium({
    bgpControlPlane: {
      enabled: true,
      localASN: 64_512,
      peers: [{ name: "router", peerASN: 64_500, peerAddress: "10.10.0.1" }],
      ...more,
    },
  });
const oneSession: Answers[number] = ["bgp peers", JSON.stringify([session("10.10.0.1")])];
const hears = (...prefixes: string[]): Answers[number] => [
  "bgp routes advertised",
  JSON.stringify([prefixes.map((prefix) => ({ neighbor: "10.10.0.1", prefix })), null]),
];

describe("BGP", () => {
  it("is asked on the selected nodes alone", async () => {
    const nodeSelector = { matchLabels: { "kubernetes.io/hostname": "node-1" } };
    const sick = [oneSession, hears("192.0.2.7/32")];
    stopTime();
    const { rows, asked } = await run([bgpProof], { vary: withBgp({ nodeSelector }), sick });
    expect(rows).toMatchObject([
      {
        verdict: "pass",
        reading: "1 sessions of 1 nodes established; routes advertised in each: 1 to 1",
      },
    ]);
    expect(asked.filter((question) => question.includes("bgp peers"))).toHaveLength(1);
  });

  it("on no node breaks the promise", async () => {
    const nodeSelector = { matchLabels: { bgp: "yes" } };
    expect(await verdictOf(bgpProof, { vary: withBgp({ nodeSelector }) })).toEqual({
      verdict: "fail",
      reading: "cilium.bgpControlPlane.nodeSelector selects no node",
    });
  });

  it("waits for a session that has just been configured", async () => {
    let asked = 0;
    const active = JSON.stringify([{ ...session("10.10.0.1"), "session-state": "open_sent" }]);
    const sick: Answers = [
      ["bgp peers", () => (asked++ < 9 ? active : String(oneSession[1]))],
      hears("192.0.2.7/32"),
    ];
    expect(await verdictOf(bgpProof, { vary: withBgp({}), sick })).toMatchObject({
      verdict: "pass",
    });
  });
});

/** What the stack does not ask for, by why. */
const off = ["off", "no pool"];

describe("not proved or not enabled, with the reason", () => {
  const elsewhere = {
    matchLabels: { "io.kubernetes.service.namespace": "shop" },
  };
  const cases: [proof: Proof, why: string, options: SimulatedOptions, reading: RegExp][] = [
    [
      addressPoolsProof,
      "no pool",
      { vary: withCilium({}) },
      /^cilium\.loadBalancerIPPools is empty$/,
    ],
    [
      addressPoolsProof,
      "a pool for another namespace",
      {
        vary: withCilium({
          loadBalancerIPPools: [{ ...pool("shop", "10.10.9.1"), serviceSelector: elsewhere }],
          l2announcements,
        }),
      },
      /^shop: takes no service of verify's namespace$/,
    ],
    [
      addressPoolsProof,
      "two pools for all services",
      {
        vary: withCilium({
          loadBalancerIPPools: [pool("a", "10.10.8.1"), pool("b", "10.10.9.1")],
          l2announcements,
        }),
        sick: gave(["address-0", "10.10.8.1"], ["address-1", "10.10.8.2"]),
      },
      /^b: a takes its services as well, and gave$/,
    ],
    [l2AnnouncementsProof, "off", { vary: withCilium({}) }, /l2announcements\.enabled is false/],
    [l2AnnouncementsProof, "one node", { nodes: 1 }, /one node/],
    [
      l2AnnouncementsProof,
      "no pool",
      { vary: withCilium({ l2announcements }) },
      /loadBalancerIPPools is empty/,
    ],
    ...[
      { name: "other", interfaces: ["^eth9$"] },
      { name: "other", serviceSelector: elsewhere },
      { name: "other", loadBalancerIPs: false },
    ].map((policy): [Proof, string, SimulatedOptions, RegExp] => [
      l2AnnouncementsProof,
      `a policy with ${Object.keys(policy)[1]}`,
      {
        vary: withCilium({
          loadBalancerIPPools: [pool("public", "10.10.9.1")],
          l2announcements: { enabled: true, policies: [policy] },
        }),
        sick: gave(["address-0", "10.10.9.1"]),
      },
      /^public: no policy of ours announces its services on eth0$/,
    ]),
    [
      l2AnnouncementsProof,
      "an address that is advertised to routers",
      {
        vary: withCilium({
          loadBalancerIPPools: [pool("routed", "192.0.2.1")],
          l2announcements,
          bgpControlPlane: {
            enabled: true,
            localASN: 64_512,
            peers: [{ name: "router", peerASN: 64_500, peerAddress: "10.10.0.1" }],
          },
        }),
        sick: gave(["address-0", "192.0.2.1"]),
      },
      /^routed: none of its addresses is of the VLAN$/,
    ],
    [nodeLocalDnsProof, "off", { vary: withCilium({}) }, /nodeLocalDns\.enabled is false/],
    [bgpProof, "off", { vary: withCilium({}) }, /bgpControlPlane\.enabled is false/],
    [
      bgpProof,
      "nothing to tell",
      {
        vary: withBgp({}),
        sick: [oneSession, ["bgp routes advertised", "[null,null]"]],
      },
      /^3 sessions established, in which nothing is advertised: no service/,
    ],
  ];

  it.each(cases.map((row) => [`${row[0].promise}: ${row[1]}`, row] as const))(
    "%s",
    async (_, [proof, why, options, reading]) => {
      expect(await verdictOf(proof, options)).toEqual({
        verdict: off.includes(why) ? "not enabled" : "not proved",
        reading: expect.stringMatching(reading),
      });
    },
  );
});

describe("labels", () => {
  it.each<[Parameters<typeof selects>[0], boolean]>([
    [undefined, true],
    [{}, true],
    [{ matchLabels: { tier: "web" } }, true],
    [{ matchLabels: { tier: "db" } }, false],
    [{ matchExpressions: [{ key: "tier", operator: "In", values: ["db", "web"] }] }, true],
    [{ matchExpressions: [{ key: "app", operator: "In", values: ["web"] }] }, false],
    [{ matchExpressions: [{ key: "tier", operator: "NotIn", values: ["web"] }] }, false],
    [{ matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, true],
    [{ matchExpressions: [{ key: "app", operator: "Exists" }] }, false],
    [{ matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, true],
  ])("%j: %s", (selector, expected) => {
    expect(selects(selector, { tier: "web" })).toBe(expected);
  });

  it("are those that selectors ask for, the first before the others", () => {
    const selectors: Parameters<typeof selects>[0][] = [
      { matchLabels: { tier: "web" } },
      { matchLabels: { tier: "db", app: "shop" } },
      { matchExpressions: [{ key: "team", operator: "Exists" }] },
      { matchLabels: { name: "mine" } },
    ];
    expect(labelsFor(selectors, { name: "mine" })).toEqual({ tier: "web", team: "verify" });
  });
});

it("the cache that counts is asked on the node whose pod asks", async () => {
  stopTime();
  const { rows, asked } = await run([nodeLocalDnsProof]);
  expect(rows).toMatchObject([{ verdict: "pass" }]);
  const scripts = asked.filter((question) => question.includes("coredns_dns_requests_total"));
  const caches = scripts.map((script) => script.match(/http:\/\/([\d.]+):9253/)?.[1]);
  expect(caches).toEqual(["10.244.0.53", "10.244.1.53", "10.244.2.53"]);
});

it("a lease that an earlier run has left is waited out", async () => {
  let asked = 0;
  const sick: Answers = [["get lease", () => (asked++ < 3 ? "node-2" : "node-1")]];
  expect(await verdictOf(l2AnnouncementsProof, { sick })).toMatchObject({ verdict: "pass" });
  expect(asked).toBe(4);
});
