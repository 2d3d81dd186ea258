import { describe, expect, it } from "vitest";
import { problemsOf, stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

const networks: Record<string, string> = {
  "network.podSubnets[0]": "10.244.0.0/16",
  "network.podSubnets[1]": "fd00:10:244::/56",
  "network.serviceSubnets[0]": "10.96.0.0/16",
  "network.serviceSubnets[1]": "fd00:10:96::/112",
  "network.vlan.subnets[0]": "10.10.0.0/24",
  "network.vlan.subnets[1]": "fd00:10:10::/64",
};
const pairs = Object.keys(networks).flatMap((a) =>
  Object.keys(networks)
    .filter((b) => a !== b && a.at(-2) === b.at(-2))
    .map((b) => [a, b] as const),
);

describe("networks", () => {
  // Both directions: a within b, and b within a.
  it.each(pairs)("%s within %s is refused", (inner, outer) => {
    const wide = inner.endsWith("[0]") ? "172.16.0.0/12" : "fd11::/44";
    const narrow = inner.endsWith("[0]") ? "172.16.4.0/24" : "fd11:0:0:4::/64";
    const problems = problemsOf(stack({ [inner]: narrow, [outer]: wide }));
    const overlap = problems.filter(({ why }) => why.includes("overlaps"));
    expect(overlap).toHaveLength(1);
    expect(`${overlap[0]?.path} ${overlap[0]?.why}`).toContain(inner);
    expect(`${overlap[0]?.path} ${overlap[0]?.why}`).toContain(outer);
  });

  it.each(pairs)("%s equal to %s is refused", (a, b) => {
    const problems = problemsOf(stack({ [a]: networks[b] }));
    expect(problems.filter(({ why }) => why.includes("overlaps"))).toHaveLength(1);
  });

  takes([{ name: "neighbours", changes: { "network.serviceSubnets[0]": "10.245.0.0/16" } }]);

  it("of a default overlap as well", () => {
    const changes = { "network.podSubnets": ["10.96.0.0/12", "fd00:10:244::/56"] };
    expect(problemsOf(stack({ ...changes, "network.serviceSubnets": undefined }))).toEqual([
      expect.objectContaining({
        path: "network.podSubnets[0]",
        why: expect.stringContaining("network.serviceSubnets[0] (10.96.0.0/16)"),
      }),
    ]);
  });
});

describe("families", () => {
  const says = "IPv4, IPv6";
  refuses([
    {
      name: "pods in the other order",
      changes: { "network.podSubnets": ["fd00:10:244::/56", "10.244.0.0/16"] },
      says,
    },
    { name: "pods of one", changes: { "network.podSubnets": ["10.244.0.0/16"] }, says },
    {
      name: "services in the other order",
      changes: { "network.serviceSubnets": ["fd00:10:96::/112", "10.96.0.0/16"] },
      says,
    },
    { name: "services of one", changes: { "network.serviceSubnets": ["fd00:10:96::/112"] }, says },
    {
      name: "a node in the other order",
      changes: { "nodes.existing[1].addresses": ["fd00:10:10::12", "10.10.0.12"] },
      says,
    },
    { name: "a node of one", changes: { "nodes.existing[1].addresses": ["10.10.0.12"] }, says },
    {
      name: "two subnets of one family",
      changes: {
        "network.vlan.subnets": ["10.10.0.0/24", "10.11.0.0/24"],
        "network.vlan.gateways": [],
      },
      at: ["network.vlan.subnets", ...[0, 1, 2].map((n) => `nodes.existing[${n}].addresses[1]`)],
      says: "two subnets of one family",
    },
  ]);
});

describe("sizes", () => {
  refuses([
    {
      name: "fewer shares than nodes",
      changes: { "network.podSubnets[0]": "10.244.0.0/23" },
      says: "holds 2 shares of /24 for 3 nodes",
    },
    {
      name: "a share wider than the whole",
      changes: { "network.podSubnets[1]": "fd00:10:244::/80" },
      says: "holds 0 shares of /64 for 3 nodes",
    },
    {
      name: "more shares than kubeadm takes",
      changes: { "network.podSubnets[1]": "fd11::/44" },
      at: ["network.nodeMaskSizes.ipv6"],
      says: "write 60 or less",
    },
    {
      name: "more pods than a share holds",
      changes: { "kubernetes.kubelet.maxPods": 255 },
      says: "a node's share /24 of 10.244.0.0/16 holds 254 pods",
    },
    {
      name: "a share smaller than the default of pods",
      changes: { "network.nodeMaskSizes.ipv4": 26 },
      at: ["kubernetes.kubelet.maxPods"],
      says: "holds 62 pods",
    },
    {
      name: "fewer than 10 services",
      changes: { "network.serviceSubnets[0]": "10.96.0.0/29" },
      says: "fewer than 10 services",
    },
    {
      name: "more services than the API server takes",
      changes: { "network.serviceSubnets[0]": "11.0.0.0/11" },
      says: "at most 20 host bits",
    },
    {
      name: "more IPv6 services than the API server takes",
      changes: { "network.serviceSubnets[1]": "fd00:10:96::/64" },
      says: "at most 20 host bits",
    },
  ]);
  takes([
    { name: "as many pods as fit", changes: { "kubernetes.kubelet.maxPods": 254 } },
    { name: "exactly enough shares", changes: { "network.podSubnets[0]": "10.244.0.0/22" } },
    { name: "the fewest services", changes: { "network.serviceSubnets[0]": "10.96.0.0/28" } },
    { name: "the most services", changes: { "network.serviceSubnets[0]": "10.96.0.0/12" } },
    { name: "the least MTU", changes: { "network.mtu": 1280 } },
    { name: "the largest MTU", changes: { "network.mtu": 9216 } },
  ]);
});
