import { describe, expect, it } from "vitest";
import { moveAddresses } from "../../../commands/ephemeral/move-addresses.ts";

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
