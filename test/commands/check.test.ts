import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { stackFiles } from "../stacks.ts";
import { runCommand } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "check-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent("check", () => {
  it("a valid stack: exit 0, and what it describes", async () => {
    const { exitCode, stdout, stderr } = await runCommand("check", "Pulumi.articles.yaml");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(
      "Pulumi.articles.yaml: cluster oslo-dev, cp-1 (control-plane), worker-1 (worker), worker-2 (worker): no errors",
    );
  });

  it("an invalid one: exit 1, every error, one line each, and no stack trace", async () => {
    const file = join(folder, "Pulumi.bad.yaml");
    const text = readFileSync(stackFiles.articles, "utf8");
    writeFileSync(file, text.replace("NO-OSL-1", "SE-STO-1").replace("weight: 95", "weight: 96"));
    const { exitCode, stdout, stderr } = await runCommand("check", file);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      `${file}: 2 errors`,
      expect.stringMatching(/^ {2}7:5 cluster\.region: SE-STO-1: .+; .+$/),
      expect.stringMatching(/^ {2}\d+:9 gatewayApi\.routes\[3\]\.backends: .+: .+; .+$/),
    ]);
  });

  it("a stack by its name", async () => {
    const [byName, byFile] = await Promise.all([
      runCommand("check", "articles"),
      runCommand("check", "Pulumi.articles.yaml"),
    ]);
    expect(byName).toEqual(byFile);
  });

  it("--json: every error as data, on stdout", async () => {
    const file = join(folder, "Pulumi.json.yaml");
    const text = readFileSync(stackFiles.articles, "utf8");
    writeFileSync(file, text.replace("NO-OSL-1", "SE-STO-1"));
    const { exitCode, stdout, stderr } = await runCommand("check", "articles", file, "--json");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "" });
    expect(JSON.parse(stdout)).toEqual([
      { file: "Pulumi.articles.yaml", cluster: "oslo-dev", problems: [] },
      { file, problems: [expect.objectContaining({ path: "cluster.region", value: "SE-STO-1" })] },
    ]);
  });

  it("every stack that is not there, and the stacks of a folder", async () => {
    const { exitCode, stdout, stderr } = await runCommand("check", "articles", "none", ".", "few");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(/^none: no such stack /),
      expect.stringMatching(/^\.: a folder, and no stack's file; \. has .*Pulumi\.articles\.yaml/),
      expect.stringMatching(/^few: no such stack /),
    ]);
  });

  it("a stack that is not there: exit 1, with those that are", async () => {
    const { exitCode, stderr } = await runCommand("check", "none");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^none: no such stack \(looked for .*Pulumi\.none\.yaml\); .*\barticles\b/,
    );
  });
});
