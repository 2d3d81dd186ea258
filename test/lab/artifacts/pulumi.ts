import { join } from "node:path";
import type { Progress } from "../progress.ts";
import { build } from "./build.ts";
import { findGo } from "./go.ts";
import { recipes } from "./recipes.ts";

/** The path of Pulumi's CLI, built from Go modules unless it is in the cache. */
export async function makePulumi(progress: Progress): Promise<string> {
  const { directory } = await build(await findGo(), recipes.pulumi, progress);
  return join(directory, "pulumi");
}
