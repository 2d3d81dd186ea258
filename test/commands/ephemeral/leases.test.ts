import { describe, expect, it } from "vitest";
import { allocate, clashes } from "../../../commands/ephemeral/leases.ts";
import type { EphemeralRecord } from "../../../commands/ephemeral/stack-tags.ts";
import { guestTemplate, poolTemplate } from "./template.ts";

const noon = new Date("2026-01-01T12:00:00.000Z");

function holder(name: string, claims: string[]): EphemeralRecord {
  return { name, owner: "kari", expiresAt: noon, phase: "up", claims };
}

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
