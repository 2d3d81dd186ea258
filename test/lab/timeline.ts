import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timelinePicture } from "../../commands/picture/timeline.ts";
import type { Engine } from "./engine.ts";
import { clusterProgram } from "./program.ts";

/** Draws the stack's first `up` where it outlasts the lab, for CI to keep. @returns the picture's path */
export async function writeTimeline(engine: Engine): Promise<string> {
  const file = join(clusterProgram.directory, ".lab/bring-up.svg");
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, timelinePicture(await engine.exportedState()));
  return file;
}
