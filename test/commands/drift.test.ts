import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Asked, askMachine, machinesOf } from "../../commands/drift/machine.ts";
import { formatDrift } from "../../commands/drift/report.ts";
import { loadStackFile } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { planOf, stackFiles } from "../stacks.ts";

const folder = mkdtempSync(join(tmpdir(), "drift-"));
let silent: Server;
beforeAll(async () => {
  silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
});
afterAll(() => {
  silent.close();
  rmSync(folder, { recursive: true });
});

const well = (name: string): Asked => ({ kind: "node", name, compared: 15, drift: [], errors: [] });

describe("the report", () => {
  it("what a machine says rewrites no line of the terminal", () => {
    const asked = { ...well("cp-1"), errors: ["\u001b[2Kall is well"] };
    expect(formatDrift([asked])).toContain("cp-1  not compared: \\u{1b}[2Kall is well");
  });

  it("of machines as they should be is one line", () => {
    expect(formatDrift(["cp-1", "worker-1"].map(well))).toBe(
      "30 documents compared on 2 nodes: 0 machines drifted, 0 not compared",
    );
  });

  it("counts machines, however many lines each has", () => {
    const drift = ["kernel", "kubelet"].map((document) => ({
      document,
      differences: ["a is 1, not 2", "b is 3, not 4"],
    }));
    const asked: Asked[] = [
      { kind: "hypervisor", name: "vps-1", compared: 4, drift: [], errors: [] },
      { ...well("cp-1"), drift },
      { ...well("worker-1"), compared: 0, errors: ["timed out", "refused"] },
    ];
    expect(formatDrift(asked).split("\n")).toEqual([
      "cp-1  kernel  a is 1, not 2",
      "cp-1  kernel  b is 3, not 4",
      "cp-1  kubelet  a is 1, not 2",
      "cp-1  kubelet  b is 3, not 4",
      "worker-1  not compared: timed out; refused",
      "19 documents compared on 2 nodes and 1 hypervisor: 1 machine drifted, 1 not compared",
    ]);
  });
});

describe("a machine", () => {
  const reachedAt = (port: number) => {
    const file = join(folder, "Pulumi.test.yaml");
    const text = readFileSync(stackFiles.articles, "utf8");
    writeFileSync(
      file,
      text.replaceAll(/^ {10}host: .*/gm, `          host: 127.0.0.1\n          port: ${port}`),
    );
    return plan(loadStackFile(file));
  };
  const node = { kind: "node", name: "cp-1" } as const;
  const never = new AbortController().signal;

  it("that accepts and says nothing is given up in bounded time, and said once", async () => {
    const { port } = silent.address() as AddressInfo;
    const start = performance.now();
    const asked = await askMachine(reachedAt(port), node, never, 500);
    expect(asked).toEqual({ ...node, compared: 0, drift: [], errors: ["no answer within 0.5 s"] });
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it("that refuses is asked once, and not for each document", async () => {
    const asked = await askMachine(reachedAt(1), node, never);
    expect(asked.errors).toEqual([expect.stringMatching(/refused/)]);
  });

  it("is not asked any more once a person has interrupted", async () => {
    const { port } = silent.address() as AddressInfo;
    const asked = await askMachine(reachedAt(port), node, AbortSignal.timeout(200));
    expect(asked.errors).toEqual(["interrupted"]);
  });

  it("hypervisors are asked before the guests on them", () => {
    const kinds = machinesOf(planOf("libvirt")).map(({ kind }) => kind);
    expect(kinds).toContain("hypervisor");
    expect(kinds.lastIndexOf("hypervisor")).toBeLessThan(kinds.indexOf("node"));
  });
});
