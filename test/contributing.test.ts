import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Proof } from "../verify/proof.ts";
import { root } from "./root.ts";
import { stack } from "./stack.ts";

// What docs/contributing.md shows, applied to a copy of the repository: each example is a whole change.

const copy = mkdtempSync(join(tmpdir(), "contributing-"));
afterAll(() => rmSync(copy, { recursive: true }));

const load = (file: string) => import(pathToFileURL(join(copy, file)).href);

let files: Map<string, string>;
beforeAll(async () => {
  for (const room of ["config", "plan", "steps", "verify", "package.json"]) {
    cpSync(join(root, room), join(copy, room), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const page = readFileSync(join(root, "docs/contributing.md"), "utf8");
  const examples = [...page.matchAll(/^```diff\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  expect(examples).toHaveLength(6);
  for (const input of examples) await execa("git", ["apply", "--recount"], { cwd: copy, input });
  const { loadConfig } = await load("config/load.ts");
  const { plan } = await load("plan/plan.ts");
  const { planFiles } = await load("plan/files.ts");
  files = planFiles(plan(loadConfig(stack(), "test")));
});

const matching = (pattern: RegExp) =>
  [...files].filter(([path]) => pattern.test(path)).map(([, content]) => content);

describe("the contributors' page", () => {
  it("adds a sysctl", () => {
    const found = matching(/node-1\/files\/etc\/sysctl\.d\//);
    expect(found).toEqual([expect.stringContaining("\nvm.max_map_count = 262144\n")]);
  });

  it("adds a preflight that runs before anything is applied, on every node", async () => {
    expect(matching(/steps\/\d+-gate-kernel\.yaml$/)).toHaveLength(3);
    const script = join(copy, "steps/gate-kernel.sh");
    const run = (oldest: string) =>
      execa(
        "bash",
        ["-c", 'die() { echo "$*"; exit 1; }; reading() { :; }; . "$0"; apply', script],
        {
          env: { OLDEST: oldest },
          reject: false,
        },
      );
    expect(await run("2.6")).toMatchObject({ exitCode: 0 });
    expect(await run("99.1")).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining("needed 99.1 or newer"),
    });
  });

  it("adds a step with its file and its label", async () => {
    expect(matching(/node-0\/files\/etc\/motd$/)).toEqual([
      expect.stringContaining("A node of test."),
    ]);
    const { effectsOfStep } = await load("plan/effects.ts");
    expect(effectsOfStep("login-notice").default.impact).toBe("live");
  });

  it("adds a promise that can fail", async () => {
    const { promises } = await load("verify/promises.ts");
    const proof = promises.find(({ promise }: Proof) => /waits for a reboot/.test(promise));
    const cluster = (answer: string) => ({ nodes: ["a", "b"], onNode: async () => answer });
    expect(await proof.prove(cluster(""))).toMatchObject({ verdict: "pass" });
    expect(await proof.prove(cluster("waits"))).toEqual({ verdict: "fail", reading: "a; b" });
  });

  it("adds an option of Cilium that raw values may not undo", async () => {
    expect(matching(/cilium-values/)).toEqual([expect.stringContaining("policyMapMax: 32768")]);
    const { loadConfig } = await load("config/load.ts");
    const raw = { "cilium.values": { bpf: { policyMapMax: 1 } } };
    expect(() => loadConfig(stack(raw), "test")).toThrow(/cilium\.values\.bpf\.policyMapMax/);
  });

  it("adds a rule of the configuration", async () => {
    const { loadConfig } = await load("config/load.ts");
    const long = stack({ "cluster.name": "c".repeat(31) });
    expect(() => loadConfig(long, "test")).toThrow(/cluster\.name.*of which dashboards show 30/);
  });
});
