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
    const { exitCode, stdout, stderr } = await runCommand("check", "Pulumi.dev.yaml");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(
      "Pulumi.dev.yaml: cluster oslo-dev, cp-1 (control-plane), worker-1 (worker), worker-2 (worker): no errors",
    );
  });

  it("an invalid one: exit 1, every error, one line each, and no stack trace", async () => {
    const file = join(folder, "Pulumi.bad.yaml");
    const text = readFileSync(stackFiles.dev, "utf8");
    writeFileSync(file, text.replace("NO-OSL-1", "SE-STO-1").replace("weight: 95", "weight: 96"));
    const { exitCode, stdout, stderr } = await runCommand("check", file);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      `${file}: 2 errors`,
      expect.stringMatching(/^ {2}cluster\.region: SE-STO-1: .+; .+$/),
      expect.stringMatching(/^ {2}gatewayApi\.routes\[3\]\.backends: .+: .+; .+$/),
    ]);
  });

  it("a file that is not there: exit 1, with its name", async () => {
    const { exitCode, stderr } = await runCommand("check", "Pulumi.none.yaml");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^Pulumi\.none\.yaml: 1 error\n.*ENOENT.*$/);
  });

  it("no file: exit 2 and the usage; --help: exit 0", async () => {
    const bare = await runCommand("check");
    expect(bare).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^usage: .*check/) });
    expect(await runCommand("check", "--help")).toMatchObject({
      exitCode: 0,
      stderr: bare.stderr,
    });
  });
});
