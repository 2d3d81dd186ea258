import { afterAll, beforeAll, test } from "vitest";
import { type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { writeStackFile } from "../lab/stack.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, saveKubeconfig } from "../lab/verification/verify.ts";
import { bringUp, takeDown } from "./bring-up.ts";
import { describeLosses } from "./lost-control-planes.ts";
import { expectWhole, type Identity, identity, slowEtcd } from "./stacked.ts";
import { timed } from "./timed.ts";

// One of three control planes is lost once in each way. control-planes.e2e.ts re-creates, shrinks, grows and kills too,
// and takes longer than CI may.

const planes = ["cp-1", "cp-2", "cp-3"];
const workers = ["worker-1"];
const minutes = 60_000;
let engine: Engine;
let lab: Lab;
let born: Identity;

const whole = () => expectWhole(lab, planes, workers, born);

beforeAll(async () => {
  await infrastructure.down();
  await forgetState();
  const made = await bringUp({ hosts: [...planes, ...workers] }, (facts) =>
    writeStackFile(facts, slowEtcd),
  );
  engine = made.engine;
  lab = labOf(made.facts, engine);
}, 80 * minutes);

afterAll(takeDown, 2 * minutes);

test("three control planes and a worker from nothing", { timeout: 30 * minutes }, async () => {
  await timed("3+1 from nothing", engine.up());
  await saveKubeconfig(engine);
  born = await identity(lab);
  await whole();
});

describeLosses({
  current: () => ({ engine, lab }),
  whole,
  clients: ["cp-1", ...workers],
  lost: ["cp-3"],
});
