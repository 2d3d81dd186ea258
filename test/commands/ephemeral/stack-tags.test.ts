import { describe, expect, it } from "vitest";
import {
  type EphemeralRecord,
  isDue,
  nameOf,
  operationElsewhere,
  readRecord,
  tagsOf,
} from "../../../commands/ephemeral/stack-tags.ts";

const hour = 3_600_000;
const noon = new Date("2026-01-01T12:00:00.000Z");

function holder(name: string, claims: string[]): EphemeralRecord {
  return { name, owner: "kari", expiresAt: noon, phase: "up", claims };
}

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
