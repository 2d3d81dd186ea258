import { afterEach, expect, it, vi } from "vitest";
import { callPulumi } from "../../commands/engine/cli.ts";

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
