import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { build } from "../lab/artifacts/build.ts";
import { findGo } from "../lab/artifacts/go.ts";
import { actionlint } from "../lab/artifacts/recipes.ts";
import { Progress } from "../lab/progress.ts";
import { root } from "../root.ts";

let command: string;
beforeAll(async () => {
  const { directory } = await build(await findGo(), actionlint, new Progress());
  command = join(directory, "actionlint");
});

/** What actionlint says of the workflows below a folder, shellcheck's view of their scripts included. */
const lint = (...files: string[]) =>
  execa(command, ["-no-color", "-shellcheck=shellcheck", ...files], {
    cwd: root,
    reject: false,
    all: true,
  });

it("actionlint finds nothing in the workflows", async () => {
  expect(readdirSync(join(root, ".github/workflows")).length).toBeGreaterThan(3);
  const { all, exitCode } = await lint();
  expect({ all, exitCode }).toEqual({ all: "", exitCode: 0 });
});

it("and finds what is wrong in another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "workflows-"));
  try {
    const file = join(folder, "bad.yaml");
    const steps = [{ run: "echo $unquoted" }, { run: "true", if: "nope.x" }];
    writeFileSync(
      file,
      stringify({ on: "push", jobs: { a: { "runs-on": "ubuntu-latest", steps } } }),
    );
    const { all, exitCode } = await lint(file);
    expect(exitCode).toBe(1);
    expect(all).toMatch(/undefined variable "nope"/);
    expect(all).toMatch(/SC2086/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
