import { test } from "vitest";
import { describeLosses } from "./lost-control-planes.ts";
import { slowEtcd } from "./stacked.ts";
import { stackedLab, workers } from "./stacked-lab.ts";

// One of three control planes is lost once in each way. control-planes.e2e.ts re-creates, shrinks, grows and kills too,
// and takes longer than CI may.

const minutes = 60_000;
const { current, begin, whole } = stackedLab(slowEtcd);

test("three control planes and a worker from nothing", { timeout: 30 * minutes }, async () => {
  await begin("3+1 from nothing");
  await whole();
});

describeLosses({ current, whole, clients: ["cp-1", ...workers], lost: ["cp-3"] });
