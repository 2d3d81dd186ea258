import { afterAll, beforeAll } from "vitest";
import { type Engine, forgetState } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { writeStackFile } from "../lab/stack.ts";
import type { Overrides } from "../lab/stack-file.ts";
import type { Lab } from "../lab/verification/proof.ts";
import { labOf, saveKubeconfig } from "../lab/verification/verify.ts";
import { bringUp, takeDown } from "./bring-up.ts";
import { expectWhole, type Identity, identity } from "./stacked.ts";
import { timed } from "./timed.ts";

export const planes = ["cp-1", "cp-2", "cp-3"];
export const workers = ["worker-1"];
const minutes = 60_000;

/** Machines for three control planes and a worker, from before a file's first test until after its last. */
export function stackedLab(vary: Overrides) {
  let engine: Engine;
  let lab: Lab;
  let born: Identity;

  beforeAll(async () => {
    await infrastructure.down();
    await forgetState();
    const made = await bringUp({ hosts: [...planes, ...workers] }, (facts) =>
      writeStackFile(facts, vary),
    );
    engine = made.engine;
    lab = labOf(made.facts, engine);
  }, 80 * minutes);

  afterAll(takeDown, 2 * minutes);

  return {
    current: () => ({ engine, lab }),
    /** The first `up`. @param what is timed, for the log */
    async begin(what: string): Promise<void> {
      await timed(what, engine.up());
      await saveKubeconfig(engine);
      born = await identity(lab);
    },
    /** Throws unless the cluster is whole, and the one that began. */
    whole: () => expectWhole(lab, planes, workers, born),
  };
}
