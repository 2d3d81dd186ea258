import { describe, expect, it } from "vitest";
import { criticalPath, spansOf, timelinePicture } from "../../commands/picture/timeline.ts";

const urn = (name: string) => `urn:pulumi:lab::oslo-cluster::command:local:Command::${name}`;
const begun = new Date("2026-01-01T00:00:00Z").getTime();

/** A state as `pulumi stack export` prints it: what was there so many seconds after the start. */
function state(resources: [name: string, seconds: number, dependencies: string[]][]): string {
  const stack = { urn: urn("stack"), created: new Date(begun).toISOString() };
  const made = resources.map(([name, seconds, dependencies]) => ({
    urn: urn(name),
    custom: true,
    created: new Date(begun + seconds * 1000).toISOString(),
    dependencies: dependencies.map(urn),
    propertyDependencies: { stdin: null },
  }));
  return JSON.stringify({ deployment: { resources: [stack, ...made] } });
}

const exported = state([
  ["claim-a", 10, []],
  ["claim-b", 40, []],
  ["gates", 40.2, ["claim-a", "claim-b"]],
  ["images", 55, ["gates"]],
  ["control-plane", 90, ["gates"]],
  ["<ready>", 120, ["control-plane", "images"]],
]);

describe("the bring-up's timeline", () => {
  it("has each resource from when it could begin to when it was there", () => {
    const spans = spansOf(exported).map(({ name, from, to }) => [name, from, to]);
    expect(spans).toEqual([
      ["claim-a", 0, 10],
      ["claim-b", 0, 40],
      ["gates", 40, 40.2],
      ["images", 40.2, 55],
      ["control-plane", 40.2, 90],
      ["<ready>", 90, 120],
    ]);
  });

  it("knows what the end waited for", () => {
    const path = criticalPath(spansOf(exported)).map(({ name }) => name);
    expect(path).toEqual(["claim-b", "gates", "control-plane", "<ready>"]);
  });

  it("is a picture, in which what waited for nothing long is left out unless the end did", () => {
    const svg = timelinePicture(exported);
    expect(svg).toContain("6 resources in 120 s");
    expect(svg.match(/class="critical"/g)).toHaveLength(4);
    expect(svg.match(/class="span"/g)).toHaveLength(2);
    expect(svg).not.toContain("<ready>");
    const short = timelinePicture(
      state([
        ["a", 0.5, []],
        ["b", 9, []],
      ]),
    );
    expect(short).not.toContain(">a<");
  });

  it("of a state without resources is empty", () => {
    expect(timelinePicture(JSON.stringify({ deployment: {} }))).toContain("0 resources in 0 s");
  });
});
