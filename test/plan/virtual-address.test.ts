import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { node, stack } from "../stack.ts";

const path = "/etc/oslo-cluster/keepalived.conf";
const existing = [0, 1, 2, 3].map((i) => node(i, i < 3 ? "control-plane" : "worker"));

const planWith = (address: string | undefined, more: Record<string, unknown> = {}) =>
  plan(
    loadConfig(
      stack({
        "nodes.existing": existing,
        ...(address ? { "cluster.endpoint.virtualAddress.address": address } : {}),
        ...more,
      }),
      "test",
    ),
  );
const configurations = (...args: Parameters<typeof planWith>) =>
  planWith(...args).nodes.flatMap(({ steps }) => steps["virtual-address"]?.files[path] ?? []);

describe.each([
  ["10.10.0.10", "10.10.0.10/32", "10.10.0.11", "10.10.0.12"],
  ["fd00:10:10::10", "fd00:10:10::10/128", "fd00:10:10::11", "fd00:10:10::12"],
])("the virtual address %s", (address, cidr, first, second) => {
  it("is kept by every control plane with every other, in its own family", () => {
    const all = configurations(address);
    expect(all).toHaveLength(3);
    expect(all[0]).toContain(`unicast_src_ip ${first}\n`);
    expect(all[0]).toContain(`    ${second}\n`);
    expect(all[1]).toContain(`    ${first}\n`);
    for (const text of all) {
      expect(text).toContain(`    ${cidr} dev eth1\n`);
      expect(text).toContain("nopreempt");
      expect(text).not.toContain("authentication");
    }
    expect(new Set(all.map((text) => text.match(/priority (\d+)/)?.[1])).size).toBe(3);
  });

  it("is in the API servers' certificates, and in kubeconfigs", () => {
    const { endpoint, nodes } = planWith(address, { "cluster.endpoint.host": "api.example.no" });
    expect(endpoint).toBe("api.example.no:6443");
    const init = nodes[0]?.steps["control-plane"]?.files["/etc/oslo-cluster/kubeadm-init.yaml"];
    expect(init).toMatch(new RegExp(`certSANs:\\n +- api.example.no\\n +- "?${address}"?\\n`));
    expect(planWith(address).endpoint).toContain(address);
  });

  it("needs VRRP between control planes, which is tried out", () => {
    const { probe } = planWith(address);
    const expected = (name: string) => probe?.documents[name]?.vars.EXPECT ?? "";
    const family = address.includes(":") ? 6 : 4;
    expect(expected("node-0").match(/\S+\/vrrp\//g)).toEqual([
      `node-1/${family}/vrrp/`,
      `node-2/${family}/vrrp/`,
    ]);
    expect(probe?.documents["node-0"]?.vars.SEND).toContain(`vrrp=IP${family}-DATAGRAM:`);
    expect(expected("node-3")).not.toContain("vrrp");
  });
});

it("is kept by whoever is ready, or while the others are not: each asks them too", () => {
  const others = ["10.10.0.11", "10.10.0.13"].map((one) => `https://${one}:6443`);
  expect(configurations("10.10.0.10")[1]).toContain(
    `check.sh 10.10.0.10/32 eth1 /run/oslo-cluster-virtual-address/master https://10.10.0.12:6443/readyz ${others.join(" ")}"\n`,
  );
});

it("is given up where the stack's file has none any more", () => {
  const [first] = planWith(undefined).nodes;
  expect(first?.steps["virtual-address"]).toMatchObject({ vars: { ADDRESS: "none" }, files: {} });
  expect(planWith(undefined).probe?.documents["node-0"]?.vars.EXPECT).not.toContain("vrrp");
});
