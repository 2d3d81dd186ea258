import { describe, expect, it } from "vitest";
import { type ControlPlanes, quorumProblems } from "../../plan/quorum.ts";

const three = { a: "1", b: "2", c: "3" };
const five = { ...three, d: "4", e: "5" };

describe("a change of the control planes", () => {
  it.each<[string, ControlPlanes, ControlPlanes]>([
    ["from nothing", {}, three],
    ["that is none", three, three],
    ["that adds some", { a: "1" }, five],
    ["that removes most: they leave one at a time", five, { c: "3" }],
    ["that replaces one", three, { ...three, b: "9" }],
    ["that replaces one, and removes two", five, { a: "1", b: "2", c: "9" }],
    ["that removes two and adds two", three, { c: "3", d: "4", e: "5" }],
  ])("%s is done", (_, before, after) => {
    expect(quorumProblems(before, after)).toEqual([]);
  });

  it.each<[string, ControlPlanes, ControlPlanes, string, RegExp]>([
    ["replaces the only one", { a: "1" }, { a: "9" }, "a", /^the only control plane is removed or/],
    ["replaces the only one and adds two", { a: "1" }, { ...three, a: "9" }, "a", /^the only/],
    ["leaves only new ones", three, { d: "4", e: "5", f: "6" }, "a, b, c", /^every control plane/],
    ["leaves one, on another machine", three, { a: "9" }, "a, b, c", /^every control plane/],
    ["replaces two of three", three, { ...three, b: "8", c: "9" }, "b, c", /^2 of 3 .* at once/],
    ["replaces two of five", five, { ...five, a: "8", e: "9" }, "a, e", /^2 of 5 .* at once/],
  ])("that %s is refused", (_, before, after, value, why) => {
    expect(quorumProblems(before, after)).toEqual([
      { path: "nodes", value, why: expect.stringMatching(why), fix: expect.any(String) },
    ]);
  });
});
