// Runs index.ts in a process of its own, as the engine does: what nothing handles ends it. Takes a
// stack's file, and as JSON the machine-id of each claimed node and the outputs of the last up; prints each
// resource that begins.
import { setTimeout } from "node:timers/promises";
import { factsOf } from "./healthy-stdout.ts";
import { runProgram } from "./program.ts";

const [stackFile, machineIds, applied] = process.argv.slice(2) as [string, string, string];
const ids = JSON.parse(machineIds) as Record<string, string>;

await runProgram(stackFile, {
  applied: JSON.parse(applied),
  begins: async (name) => {
    console.log(name);
    // A gate takes a while: time enough for an error to end the program.
    if (name.endsWith("-claim")) await setTimeout(200);
  },
  stdout: (name) => {
    const node = name.replace(/-claim$/, "");
    if (node === name || !(node in ids)) return undefined;
    return `${factsOf(node, { machineId: ids[node] as string })}\n{}\n`;
  },
});
