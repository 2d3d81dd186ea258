import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { root } from "../root.ts";

interface Reading {
  files: number;
  changedMachines: number;
  renderSeconds: number;
  impactSeconds: number;
  peakMebibytes: number;
}

async function measure(nodes: number): Promise<Reading> {
  // As the command's first line starts Node.
  const [line = ""] = readFileSync(join(root, "commands/main.ts"), "utf8").split("\n");
  const [, , , ...options] = line.split(" ");
  const call = [...options, "test/bench/plan-scale.ts", `${nodes}`];
  const { stdout } = await promisify(execFile)(process.execPath, call, { cwd: root });
  return JSON.parse(stdout);
}

// Seconds of CPU are longer beside other work, which has its part of the caches: the best of three.
it("a cluster of 1,000 nodes is planned, rendered and compared in seconds", {
  retry: 2,
  timeout: 300_000,
}, async () => {
  const { renderSeconds, impactSeconds, peakMebibytes, ...rest } = await measure(1000);
  // Every node has its documents, and the changed time server reached each.
  expect(rest.files).toBeGreaterThan(20_000);
  expect(rest.changedMachines).toBe(1000);
  expect(renderSeconds).toBeLessThan(3);
  expect(impactSeconds).toBeLessThan(6);
  expect(peakMebibytes).toBeLessThan(300);
});
