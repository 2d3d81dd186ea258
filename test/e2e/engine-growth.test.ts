import { beforeAll, expect, it } from "vitest";
import { type EngineReading, measureEngine } from "../bench/engine.ts";
import { makePulumi } from "../lab/artifacts/pulumi.ts";

// How previews and ups grow with the cluster, by Pulumi's engine with plugins that answer at once; larger
// ones by test/bench/engine-scale.ts. docs/architecture.md has the figures, and what limits a first `up`.

const sizes = [10, 20] as const;
const operations = ["preview", "firstUp", "emptyUp", "emptyPreview"] as const;
/** How many times the CPU twice the nodes may take. */
const most = 2.2;
let small: EngineReading;
let large: EngineReading;
const growth = (operation: (typeof operations)[number]) =>
  large[operation].cpuSeconds / small[operation].cpuSeconds;

beforeAll(async () => {
  const cli = await makePulumi();
  // Seconds of CPU are longer beside other work, which has its part of the caches: the best of three.
  for (let times = 0; times < 3; times++) {
    [small, large] = [await measureEngine(cli, sizes[0]), await measureEngine(cli, sizes[1])];
    if (operations.every((one) => growth(one) < most)) break;
  }
}, 80 * 60_000);

it("a worker adds eight resources and little to the state", () => {
  const workers = sizes[1] - sizes[0];
  expect((large.resources - small.resources) / workers).toBe(8);
  expect((large.stateMegabytes - small.stateMegabytes) / workers).toBeLessThan(0.065);
});

it("what every cluster has in the state is less than two megabytes", () => {
  const perWorker = (large.stateMegabytes - small.stateMegabytes) / (sizes[1] - sizes[0]);
  expect(small.stateMegabytes - sizes[0] * perWorker).toBeLessThan(2);
});

it.each(operations)(`%s of twice the nodes takes at most ${most} times the CPU`, (operation) => {
  expect(small[operation].cpuSeconds).toBeGreaterThan(0);
  expect(growth(operation)).toBeLessThan(most);
});
