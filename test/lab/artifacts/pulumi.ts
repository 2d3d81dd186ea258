import { join } from "node:path";
import { pulumiOnPath } from "../../../commands/engine/cli.ts";
import { Progress } from "../progress.ts";
import { build } from "./build.ts";
import { findGo } from "./go.ts";
import { recipes } from "./recipes.ts";

/** The path of Pulumi's CLI: the one on PATH, else built from Go modules unless it is in the cache. */
export async function makePulumi(): Promise<string> {
  const onPath = pulumiOnPath();
  if (onPath !== undefined) return onPath;
  const { directory } = await build(await findGo(), recipes.pulumi, new Progress());
  return join(directory, "pulumi");
}
