import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { callPulumi, pulumiOnPath } from "../../commands/engine/cli.ts";

afterEach(() => void vi.unstubAllEnvs());

const forms = `echo "$PULUMI_DIY_BACKEND_ZSTD $PULUMI_DIY_BACKEND_GZIP"`;

it.each<[string, Record<string, string>, string]>([
  ["compressed", {}, "true"],
  ["as the operator has chosen, which is gzip", { PULUMI_DIY_BACKEND_GZIP: "true" }, "true"],
  ["as the operator has chosen, which is plain", { PULUMI_DIY_BACKEND_ZSTD: "false" }, "false"],
])("the state is saved %s", async (_, env, expected) => {
  for (const form of ["ZSTD", "GZIP"]) vi.stubEnv(`PULUMI_DIY_BACKEND_${form}`, undefined);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  // The engine refuses two at once.
  expect((await callPulumi(["sh", "-c", forms])).trim()).toBe(expected);
});

it("the CLI on PATH is a program: a directory of its name is passed over", () => {
  const folder = mkdtempSync(join(tmpdir(), "path-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  mkdirSync(join(first, "pulumi"), { recursive: true });
  mkdirSync(second);
  expect(pulumiOnPath([first, second].join(delimiter))).toBeUndefined();
  writeFileSync(join(second, "pulumi"), "", { mode: 0o755 });
  expect(pulumiOnPath([first, second].join(delimiter))).toBe(join(second, "pulumi"));
});
