import { describe } from "vitest";
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
