import { chooseEngine, type Engine } from "../lab/engine.ts";
import * as infrastructure from "../lab/infrastructure.ts";
import { clusterProgram, type Program } from "../lab/program.ts";
import { formatTimings } from "../lab/progress.ts";
import { removeStackFile } from "../lab/stack.ts";

/** The lab's machines, a stack's file for them, and the engine that works on it. */
export async function bringUp(
  machines: infrastructure.LabOptions,
  writeStack: (facts: infrastructure.LabFacts) => unknown,
  program: Program = clusterProgram,
): Promise<{ facts: infrastructure.LabFacts; engine: Engine }> {
  const facts = await infrastructure.up(machines);
  await writeStack(facts);
  const engine = await chooseEngine(facts, program);
  console.log(`the program runs through ${engine.name}\n${formatTimings(facts.timings)}`);
  return { facts, engine };
}

/** Ends the machines and removes the stack's file. */
export async function takeDown(): Promise<void> {
  await infrastructure.down();
  removeStackFile();
}
