import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { ownedOptions } from "../../config/rules/cilium-raw.ts";
import { ciliumValues, settings } from "../../plan/cilium.ts";
import { downloadModule, findGo } from "../lab/artifacts/go.ts";
import { stack } from "../stack.ts";
import { configOf, stackNames } from "../stacks.ts";
import { defaults, object, readValues, template } from "./chart.ts";
import { realTools } from "./tools.ts";

type Changes = Record<string, unknown>;
type Options = Record<string, string | undefined>;

let tools: Awaited<ReturnType<typeof realTools>>;
beforeAll(async () => {
  tools = await realTools();
});

/** What the agents get: the real chart's ConfigMap for a stack with these changes. */
async function optionsOf(changes: Changes): Promise<Options> {
  const config = loadConfig(stack(changes), "test.yaml");
  const values = ciliumValues(config);
  const { exitCode, stdout, stderr } = await template(tools, values, config.kubernetes.version);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return object(stdout, "ConfigMap", "cilium-config").data;
}

const ipv4 = {
  "network.vlan": { subnets: ["10.10.0.0/24"], gateways: ["10.10.0.1"], interface: "eth1" },
  "network.podSubnets": ["10.244.0.0/16"],
  "network.serviceSubnets": ["10.96.0.0/16"],
  ...Object.fromEntries(
    [0, 1, 2].map((i) => [`nodes.existing[${i}].addresses`, [`10.10.0.${11 + i}`]]),
  ),
};

const matrix = ["dsr", "hybrid", "snat"].flatMap((mode) =>
  ["opt", "ipip"].flatMap((dsrDispatch) =>
    ["disabled", "native", "best-effort"].flatMap((acceleration) =>
      ["ipv4", "ipv4 and ipv6"].map((families) => ({ mode, dsrDispatch, acceleration, families })),
    ),
  ),
);

describe("Cilium's chart takes every way to balance load", () => {
  it.each(matrix)("$mode, $dsrDispatch, XDP $acceleration, $families", async (one) => {
    const { families, ...loadBalancer } = one;
    const dual = families !== "ipv4";
    const data = await optionsOf({ "cilium.loadBalancer": loadBalancer, ...(dual ? {} : ipv4) });
    expect(data).toMatchObject({
      "bpf-lb-mode": one.mode,
      "bpf-lb-acceleration": one.acceleration,
      "enable-ipv6": String(dual),
      "enable-ipv6-masquerade": String(dual),
    });
    if (one.mode !== "snat") expect(data["bpf-lb-dsr-dispatch"]).toBe(one.dsrDispatch);
  });
});

const pool = { name: "public", blocks: [{ cidr: "10.10.0.192/27" }] };
const l2 = {
  "cilium.l2announcements": { enabled: true, leaseDurationSeconds: 20 },
  "cilium.loadBalancerIPPools": [pool],
};
const peers = [{ name: "tor", peerASN: 64500, peerAddress: "10.10.0.1" }];

/** Each option, and what the agents get with it; undefined is absent. */
const features: [name: string, changes: Changes, options: Options][] = [
  [
    "nothing",
    {},
    {
      "enable-bandwidth-manager": "true",
      "enable-bbr": "true",
      "enable-wireguard": undefined,
      "enable-hubble": "true",
      "hubble-metrics": undefined,
      "enable-l2-announcements": undefined,
      "enable-bgp-control-plane": undefined,
      "enable-local-redirect-policy": undefined,
      "bpf-map-dynamic-size-ratio": "0.0025",
      "bpf-ct-global-tcp-max": undefined,
      "bpf-lb-map-max": "262144",
      "bpf-lb-sock-hostns-only": "true",
      "k8s-client-qps": "10",
      "enable-policy": "default",
      "enable-gateway-api": "true",
      "gateway-api-hostnetwork-enabled": "true",
    },
  ],
  [
    "neither bandwidth manager nor BBR",
    { "cilium.bandwidthManager": { enabled: false, bbr: false } },
    { "enable-bandwidth-manager": undefined, "enable-bbr": undefined },
  ],
  [
    "maps of a given size",
    { "cilium.bpf": { ctTcpMax: 1048576, ctAnyMax: 524288, natMax: 1048576, lbMapMax: 524288 } },
    {
      "bpf-ct-global-tcp-max": "1048576",
      "bpf-ct-global-any-max": "524288",
      "bpf-nat-global-max": "1048576",
      "bpf-lb-map-max": "524288",
    },
  ],
  [
    "maps of the largest size, to the digit",
    { "cilium.bpf": { mapDynamicSizeRatio: 0.5, ctTcpMax: 16777216, lbMapMax: 16777216 } },
    {
      "bpf-map-dynamic-size-ratio": "0.5",
      "bpf-ct-global-tcp-max": "16777216",
      "bpf-lb-map-max": "16777216",
    },
  ],
  [
    "WireGuard",
    { "cilium.encryption.enabled": true },
    { "enable-wireguard": "true", "encrypt-node": undefined, "enable-ipsec": undefined },
  ],
  [
    "WireGuard between nodes",
    {
      "cilium.encryption": { enabled: true, nodeEncryption: true },
      "cilium.loadBalancer.acceleration": "disabled",
    },
    { "enable-wireguard": "true", "encrypt-node": "true" },
  ],
  [
    "an MTU of the network's own",
    { "network.mtu": 9000 },
    { mtu: "9000", "enable-wireguard": undefined },
  ],
  ["no Hubble", { "cilium.hubble.enabled": false }, { "enable-hubble": "false" }],
  [
    "Hubble's metrics",
    { "cilium.hubble.metrics.enabled": ["dns:query;ignoreAAAA", "drop", "httpV2"] },
    { "hubble-metrics": "dns:query;ignoreAAAA drop httpV2", "hubble-metrics-server": ":9965" },
  ],
  [
    "L2 announcements",
    l2,
    {
      "enable-l2-announcements": "true",
      "l2-announcements-lease-duration": "20s",
      "l2-announcements-renew-deadline": "5s",
      "l2-announcements-retry-period": "2s",
      "k8s-client-qps": "100",
      "k8s-client-burst": "200",
    },
  ],
  [
    "BGP",
    { "cilium.bgpControlPlane": { enabled: true, localASN: 64512, peers } },
    { "enable-bgp-control-plane": "true", "bgp-secrets-namespace": "kube-system" },
  ],
  [
    "NodeLocal DNSCache",
    { "cilium.nodeLocalDns.enabled": true },
    { "enable-local-redirect-policy": "true" },
  ],
  [
    "neither L7 proxy nor Gateway API",
    { "cilium.l7Proxy": false, "gatewayApi.enabled": false, "gatewayApi.routes": [] },
    {
      "enable-l7-proxy": "false",
      "enable-gateway-api": undefined,
      "bpf-lb-sock-hostns-only": "false",
    },
  ],
  [
    "gateways with addresses of their own",
    { ...l2, "gatewayApi.exposure": "loadBalancer" },
    {
      "gateway-api-hostnetwork-enabled": "false",
      "gateway-api-service-externaltrafficpolicy": "Cluster",
    },
  ],
];

describe("Cilium's chart tells the agents, with", () => {
  it.each(features)("%s", async (_, changes, options) => {
    const data = await optionsOf(changes);
    const found = Object.keys(options).map((option) => [option, data[option]]);
    expect(Object.fromEntries(found)).toEqual(options);
  });
});

describe("Cilium's chart knows", () => {
  // It takes unknown values without a word.
  it.each(stackNames)("every value that the plan of %s sets", async (name) => {
    const read = await readValues(tools);
    // What its templates read under a name of their own has a default.
    const values = await defaults(tools);
    const knows = (path: string) =>
      read.some((one) => one === path || one.startsWith(`${path}.`)) ||
      has(values, path.split("."));
    const paths = settings(configOf(name)).map(({ path }) => path);
    expect(paths.filter((path) => !knows(path))).toEqual([]);
    expect(["loadBalancer.mdoe", "loadBalancing.mode"].filter(knows)).toEqual([]);
  });

  it("every option of the agent that raw values may not set", async () => {
    const everything = {
      ...l2,
      "cilium.loadBalancer.acceleration": "disabled",
      "cilium.encryption": { enabled: true, nodeEncryption: true },
      "cilium.bpf": { ctTcpMax: 131072, ctAnyMax: 65536, natMax: 131072 },
      "cilium.hubble.metrics.enabled": ["dns"],
      "cilium.bgpControlPlane": { enabled: true, localASN: 64512, peers },
      "cilium.nodeLocalDns.enabled": true,
    };
    const data = await optionsOf(everything);
    // Some are the agent's alone, and its chart has no value for them.
    const module = await downloadModule(await findGo(), "cilium", "github.com/cilium/cilium");
    const source = readFileSync(join(module, "pkg/option/config.go"), "utf8");
    const flags = new Set([...source.matchAll(/= "([a-z0-9-]+)"$/gm)].map(([, flag]) => flag));
    expect(flags.size).toBeGreaterThan(100);
    const unknown = ownedOptions.filter((option) => !(option in data) && !flags.has(option));
    expect(unknown).toEqual([]);
  });
});

function has(values: unknown, [key, ...rest]: string[]): boolean {
  if (key === undefined) return true;
  if (typeof values !== "object" || values === null || !(key in values)) return false;
  return has((values as Record<string, unknown>)[key], rest);
}
