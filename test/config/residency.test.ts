import { describe } from "vitest";
import { refuses, takes } from "./refuses.ts";

describe("residency", () => {
  const [region, residency] = ["cluster.region", "cluster.residency"];
  refuses([
    {
      name: "Sweden where Norway is promised",
      changes: { [region]: "SE-STO-1" },
      says: "choose a region in Norway, or residency: EEA",
    },
    {
      name: "a third country where Norway is promised",
      changes: { [region]: "US-NYC-1" },
      says: "choose a region in Norway",
    },
    {
      name: "a third country where the EEA is promised",
      changes: { [region]: "GB-LON-1", [residency]: "EEA" },
      says: "GB is outside cluster.residency (EEA)",
    },
  ]);
  takes([
    { name: "Norway in the EEA", changes: { [residency]: "EEA" } },
    { name: "Iceland in the EEA", changes: { [region]: "IS-REY-1", [residency]: "EEA" } },
    { name: "no promise in the file: the EEA", changes: { cluster: { name: "test" } } },
  ]);
});
