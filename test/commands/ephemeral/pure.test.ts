import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { deriveSections } from "../../../commands/ephemeral/derive.ts";
import { allocate, clashes } from "../../../commands/ephemeral/leases.ts";
import { moveAddresses } from "../../../commands/ephemeral/move.ts";
import {
  type EphemeralRecord,
  isDue,
  nameOf,
  operationElsewhere,
  readRecord,
  tagsOf,
} from "../../../commands/ephemeral/record.ts";
import { readTemplate } from "../../../commands/ephemeral/template.ts";
import { formatDuration, parseDuration } from "../../../commands/ephemeral/ttl.ts";
import { loadConfig } from "../../../config/load.ts";
import { root } from "../../root.ts";
import { guestTemplate, machine, poolTemplate } from "./template.ts";

const hour = 3_600_000;
const noon = new Date("2026-01-01T12:00:00.000Z");

function holder(name: string, claims: string[]): EphemeralRecord {
  return { name, owner: "kari", expiresAt: noon, phase: "up", claims };
}

describe("a length of time", () => {
  it.each([
    ["90m", 1.5 * hour],
    ["4h", 4 * hour],
    ["1d12h", 36 * hour],
    ["30d", 720 * hour],
  ])("%s", (text, milliseconds) => expect(parseDuration("--ttl", text)).toBe(milliseconds));

  it.each(["", "4", "h", "4 h", "-4h", "4h ", "0m", "31d", "1.5h", "4H", "1s"])(
    "refuses %j",
    (text) => {
      expect(() => parseDuration("--ttl", text)).toThrow(/^--ttl: .*: .+; write 1m to 30d/);
    },
  );

  it.each([
    [0, "0m"],
    [59_000, "0m"],
    [4 * hour - 1, "3h59m"],
    [4 * hour, "4h"],
    [49.5 * hour, "2d1h"],
  ])("%d ms is shown as %s", (milliseconds, text) =>
    expect(formatDuration(milliseconds)).toBe(text),
  );
});

describe("the record", () => {
  const record: EphemeralRecord = {
    ...holder("pr-7", ["vlan:301", "m:0123456789"]),
    operation: { verb: "up", host: "runner-1", until: noon },
  };

  it("comes back from its tags", () => {
    expect(readRecord("pr-7", Object.fromEntries(tagsOf(record)))).toEqual(record);
    const { operation: _, ...idle } = { ...record, claims: [], phase: "down" as const };
    expect(readRecord("pr-7", Object.fromEntries(tagsOf(idle)))).toEqual(idle);
  });

  it("has its expiry written first, and no tag is empty", () => {
    const tags = tagsOf({ ...record, claims: [] });
    expect(tags[0]?.[0]).toBe("oslo-cluster:expires");
    for (const [key, value] of tags) {
      expect(value).not.toBe("");
      expect(key).toMatch(/^[a-z:-]{1,40}$/);
    }
  });

  it.each<Record<string, string>>([
    {},
    { "oslo-cluster:owner": "kari" },
    { "oslo-cluster:expires": "soon" },
    { "oslo-cluster:expires": "2026" },
  ])("is none without an expiry: %j", (tags) => expect(readRecord("pr-7", tags)).toBeUndefined());

  it("is due once expired, or on its way down", () => {
    const at = (milliseconds: number) => new Date(noon.getTime() + milliseconds);
    expect(isDue(record, at(-1))).toBe(false);
    expect(isDue(record, at(0))).toBe(true);
    expect(isDue({ ...record, phase: "down" }, at(-hour))).toBe(true);
  });

  it("keeps off an operation of another machine until its time is over", () => {
    const before = new Date(noon.getTime() - 1);
    expect(operationElsewhere(record, "runner-2", before)).toEqual(record.operation);
    expect(operationElsewhere(record, "runner-2", noon)).toBeUndefined();
    expect(operationElsewhere(record, "runner-1", before)).toBeUndefined();
  });

  it("belongs to stacks of one prefix alone", () => {
    expect(nameOf("ephemeral-pr-7")).toBe("pr-7");
    expect(nameOf("production")).toBeUndefined();
  });
});

describe("leases", () => {
  it("take what is free, and claim it by what it is", () => {
    const first = allocate(poolTemplate(), []);
    expect(first.controlPlanes.map(({ name }) => name)).toEqual(["vps-0"]);
    expect(first.workers.map(({ name }) => name)).toEqual(["vps-1"]);
    // Another template's name for the same machine.
    const renamed = poolTemplate({}, 4);
    for (const one of renamed.pool?.machines ?? []) one.name = `other-${one.name}`;
    const second = allocate(renamed, [holder("a", first.claims)]);
    expect([...second.controlPlanes, ...second.workers].map(({ name }) => name)).toEqual([
      "other-vps-2",
      "other-vps-3",
    ]);
    expect(clashes(first.claims, second.claims)).toEqual([]);
  });

  it("say who holds what is missing, and until when", () => {
    const { claims } = allocate(poolTemplate(), []);
    expect(() => allocate(poolTemplate(), [holder("pr-1", claims)])).toThrow(
      "pool.yaml: 2 machines are needed and 1 of 3 are free (pr-1 of kari until 2026-01-01T12:00:00.000Z); take a cluster down, or add machines",
    );
  });

  it("keep what the cluster has, each machine its role", () => {
    const busy = holder("pr-1", allocate(poolTemplate({}, 4), []).claims);
    const own = allocate(poolTemplate({}, 4), [busy]);
    expect(allocate(poolTemplate({}, 4), [], own.claims)).toEqual(own);
  });

  it("give each cluster a slot of its own, until none is free", () => {
    const a = allocate(guestTemplate(), []);
    expect(a.claims).toEqual(["slot:ci/a", "vlan:301", "net:10.31.0.0/24", "net:fd00:31::/64"]);
    const b = allocate(guestTemplate(), [holder("a", a.claims)]);
    expect(b.slot?.name).toBe("b");
    const both = [holder("a", a.claims), holder("b", b.claims)];
    expect(() => allocate(guestTemplate(), both)).toThrow(
      /no slot is free: a of kari until .*, b of /,
    );
    expect(allocate(guestTemplate(), [holder("b", b.claims)], a.claims).slot?.name).toBe("a");
  });

  it.each([
    ["the VLAN's id", ["vlan:301"]],
    ["a subnet", ["net:fd00:31::/64"]],
    ["a part of a subnet", ["net:10.31.0.128/25"]],
    ["what holds a subnet", ["net:10.31.0.0/16"]],
  ])("meet by %s, of whatever template", (_, claims) => {
    expect(allocate(guestTemplate(), [holder("x", claims)]).slot?.name).not.toBe("a");
  });

  it("refuse more claims than a tag takes", () => {
    const template = poolTemplate({}, 40);
    if (template.pool) template.pool.workers = 30;
    expect(() => allocate(template, [])).toThrow(/longer than a tag's 256 characters; take fewer/);
  });
});

describe("addresses", () => {
  const move = (value: unknown) =>
    moveAddresses(value, ["10.10.0.0/24", "fd00:10:10::/64"], ["10.31.4.0/24", "fd00:31::/64"]);

  it.each([
    ["10.10.0.11", "10.31.4.11"],
    ["fd00:10:10::11", "fd00:31::11"],
    ["fd00:10:10:0:ffff:ffff:ffff:fffe", "fd00:31::ffff:ffff:ffff:fffe"],
    ["10.10.0.0/24", "10.31.4.0/24"],
    ["10.10.0.192/28", "10.31.4.192/28"],
    ["10.10.1.11", "10.10.1.11"],
    ["10.244.0.0/16", "10.244.0.0/16"],
    ["https://10.10.0.5/x", "https://10.10.0.5/x"],
    ["1.36.0", "1.36.0"],
  ])("%s becomes %s", (text, moved) => expect(move({ a: [text] })).toEqual({ a: [moved] }));

  it("of machines that are reached stay", () => {
    const value = { ssh: { bastion: { host: "10.10.0.5" } }, artifacts: { x: "10.10.0.5" } };
    expect(move(value)).toEqual(value);
  });
});

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

describe("a template", () => {
  const folder = mkdtempSync(join(tmpdir(), "template-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (config: Record<string, unknown>) => {
    const file = join(folder, "t.yaml");
    writeFileSync(file, stringify({ config }));
    return readTemplate(file);
  };
  it("as docs/ci.md has it is taken, and makes clusters", () => {
    const page = readFileSync(join(root, "docs/ci.md"), "utf8");
    const blocks = [...page.matchAll(/```yaml\n(config:\n[\s\S]*?)```/g)]
      .map(([, text = ""]) => text)
      .filter((text) => text.includes("oslo-cluster-ephemeral:"));
    let key = 0;
    const texts = blocks.map((text) =>
      text
        .replace(/ssh-ed25519 …/g, () => `ssh-ed25519 AAAA${key++}`)
        .replace(/<from[^>]*>/, "0".repeat(128))
        .replace(/<a line[^>]*>/, "ssh-ed25519 AAAA"),
    );
    const names = texts.map((text) => {
      const template = read(parse(text).config);
      const sections = deriveSections(template, "pr-17", allocate(template, []));
      return loadConfig(sections, "derived").nodes.map(({ name, addresses }) => [
        name,
        ...addresses,
      ]);
    });
    expect(names).toEqual([
      [
        ["vps-1", "10.10.0.11"],
        ["vps-2", "10.10.0.12"],
      ],
      [
        ["control-plane-1", "10.31.0.11"],
        ["worker-1", "10.31.0.21"],
      ],
    ]);
  });

  const given = { ...machine(0), ssh: { hostKey: "ssh-ed25519 AAAA0" } };

  it("has its own keys beside the configuration", () => {
    const template = read({
      "oslo-cluster:cluster": { name: "ci" },
      "oslo-cluster-ephemeral:pool": { machines: [given] },
    });
    expect(template.sections).toEqual({ cluster: { name: "ci" } });
    expect(template.pool).toEqual({ controlPlanes: 1, workers: 1, machines: [machine(0)] });
  });

  it.each([
    ["an unknown key", { "oslo-cluster-ephemeral:slot": [] }],
    [
      "a machine twice",
      { "oslo-cluster-ephemeral:pool": { machines: [given, { ...given, name: "b" }] } },
    ],
    [
      "a machine with a role",
      { "oslo-cluster-ephemeral:pool": { machines: [{ ...given, role: "worker" }] } },
    ],
  ])("with %s is refused", (_, config) => {
    expect(() => read(config)).toThrow(/oslo-cluster-ephemeral:/);
  });
});
