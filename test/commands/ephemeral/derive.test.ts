import { describe, expect, it } from "vitest";
import { deriveSections } from "../../../commands/ephemeral/derive.ts";
import { allocate } from "../../../commands/ephemeral/leases.ts";
import { loadConfig } from "../../../config/load.ts";
import { guestTemplate, machine, poolTemplate } from "./template.ts";

describe("a cluster's configuration", () => {
  const derive = (template = poolTemplate(), name = "pr-7") =>
    deriveSections(template, name, allocate(template, []));

  it("has the machines that were taken, under a name of its own", () => {
    const config = loadConfig(derive(), "derived");
    expect(config.cluster.name).toBe("ci-pr-7");
    expect(config.nodes.map(({ name, role }) => [name, role])).toEqual([
      ["vps-0", "control-plane"],
      ["vps-1", "worker"],
    ]);
    expect(config.gatewayApi.routes).toHaveLength(1);
  });

  it("has guests on the slot's VLAN, at the template's places, free to be destroyed", () => {
    const config = loadConfig(derive(guestTemplate()), "derived");
    expect(config.network.vlan).toMatchObject({ id: 301, gateways: ["10.31.0.1", "fd00:31::1"] });
    expect(config.nodes.map(({ addresses }) => addresses)).toEqual([
      ["10.31.0.11", "fd00:31::11"],
      ["10.31.0.21", "fd00:31::21"],
      ["10.31.0.22", "fd00:31::22"],
    ]);
    expect(config.cluster.endpoint.host).toBe("10.31.0.11");
    expect(config.libvirt?.hypervisors[0]?.ssh.host).toBe("10.10.0.5");
    expect(config.nodes.map(({ guest }) => guest?.protected)).toEqual([false, false, false]);
  });

  it("leaves the template as it was", () => {
    const template = guestTemplate();
    derive(template);
    expect(template).toEqual(guestTemplate());
  });

  it.each([
    [
      "machines of every cluster",
      poolTemplate({ "nodes.existing": [machine(0)] }),
      /nodes\.existing: .*pool\.machines/,
    ],
    [
      "one endpoint for all",
      poolTemplate({ "cluster.endpoint.host": "api.example.no" }),
      /cluster\.endpoint\.host: api\.example\.no/,
    ],
    [
      "addresses of services for all",
      poolTemplate({
        "cilium.loadBalancerIPPools": [{ name: "x", blocks: [{ cidr: "10.10.0.192/28" }] }],
      }),
      /loadBalancerIPPools: .*same addresses/,
    ],
    [
      "pinned CPUs",
      guestTemplate({ "nodes.libvirt.pools[1].cpuPinning": "2-9" }),
      /cpuPinning: 2-9/,
    ],
    [
      "guests without slots",
      { ...guestTemplate(), slots: [] },
      /slots: \(not set\): guests need a VLAN/,
    ],
    [
      "a slot without a VLAN",
      { ...guestTemplate(), slots: [{ name: "a", set: { network: { mtu: 9000 } } }] },
      /slots: a: guests need a VLAN/,
    ],
    ["what is not valid anyway", poolTemplate({ "network.mtu": 9 }), /network\.mtu: 9/],
  ])("refuses %s", (_, template, message) => expect(() => derive(template)).toThrow(message));

  it("has addresses of services that move with the VLAN, or that the slot sets", () => {
    const pools = (cidr: string) => [{ name: "x", blocks: [{ cidr }] }];
    const announced = { "cilium.l2announcements.enabled": true };
    const inside = guestTemplate({
      ...announced,
      "cilium.loadBalancerIPPools": pools("10.10.0.192/28"),
    });
    expect(derive(inside).cilium?.loadBalancerIPPools).toEqual(pools("10.31.0.192/28"));
    const outside = guestTemplate({
      ...announced,
      "cilium.loadBalancerIPPools": pools("192.0.2.0/28"),
    });
    expect(() => derive(outside)).toThrow(/loadBalancerIPPools/);
    for (const [i, slot] of outside.slots.entries())
      slot.set.cilium = { loadBalancerIPPools: pools(`10.3${i + 1}.0.224/28`) };
    expect(derive(outside).cilium?.loadBalancerIPPools).toEqual(pools("10.31.0.224/28"));
  });

  it("refuses a name that is too long with the template's", () => {
    expect(() => derive(poolTemplate(), "x".repeat(30))).toThrow(/cluster\.name: .*32 characters/);
  });
});
