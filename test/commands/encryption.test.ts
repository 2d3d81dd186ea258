import { describe, expect, it } from "vitest";
import { outlook } from "../../commands/encryption/rotate.ts";

/** Control planes by the keys that each has, and files of former keys. */
const nodes = (keys: string[][], kept: string[] = []) =>
  keys.map((names, i) => ({
    plane: { name: `cp-${i + 1}` },
    state: { keys: names, kept, loaded: true, reload: true, members: [] },
  }));

describe("what a rotation has to do is read from the nodes", () => {
  it.each([
    ["one key everywhere", [["key1"], ["key1"]], "key2", /^a new rotation, from key1 to key2/],
    ["made on one", [["key1", "key2"], ["key1"]], "key2", /^add key2 on cp-2, for reading$/m],
    [
      "some encrypt with it",
      [
        ["key2", "key1"],
        ["key1", "key2"],
      ],
      "key2",
      /^encrypt .* cp-2,/m,
    ],
    ["all but dropped", [["key2"], ["key2", "key1"]], "key2", /^a rotation to key2 is under way/],
    ["tens", [["key9", "key10"], ["key9"]], "key10", /^add key10 on cp-2/m],
    ["one that was restored", [["key3"], ["key1"]], "key3", /^add key3 on cp-2/m],
  ])("%s", (_, keys, key, line) => {
    const found = outlook(nodes(keys));
    expect(found.key).toBe(key);
    expect(found.steps.join("\n")).toMatch(line);
  });

  it("dropped everywhere, and not loaded yet: the same rotation, and no other one", () => {
    const asked = nodes([["key2"], ["key2"]], ["key2-key1-0a1b2c3d.yaml"]).map((one, i) => ({
      ...one,
      state: { ...one.state, loaded: i === 0 },
    }));
    const { key, steps } = outlook(asked);
    expect(key).toBe("key2");
    expect(steps).toEqual([expect.stringMatching(/^the rotation to key2 is at its end/)]);
  });

  it("a name is never used twice, also after a restore of an older copy", () => {
    expect(outlook(nodes([["key1"]], ["key3-key2-0a1b2c3d.yaml"])).key).toBe("key4");
  });
});
