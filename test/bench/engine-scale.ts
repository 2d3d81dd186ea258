import { makePulumi } from "../lab/artifacts/pulumi.ts";
import { measureEngine } from "./engine.ts";

// node test/bench/engine-scale.ts NODES…: what previews and ups of so many nodes take by Pulumi's engine, a
// line of JSON each. Builds the engine where there is none on PATH.
const cli = await makePulumi();
for (const nodes of process.argv.slice(2).map(Number)) {
  try {
    console.log(JSON.stringify(await measureEngine(cli, nodes)));
  } catch (error) {
    // All that the engine printed is part of its errors.
    console.error(`${nodes} nodes: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
