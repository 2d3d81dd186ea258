import { join } from "node:path";
import { leaks } from "../../plan/secrets.ts";
import type { PulumiFailed } from "../engine/cli.ts";
import { pulumiStacks } from "../engine/stacks.ts";
import { refusals } from "./policies.ts";
import { type EnginePreview, readPreview } from "./read-preview.ts";

const stacks = pulumiStacks({ directory: join(import.meta.dirname, "../..") });

/** The rules that only resources can tell, and what they are to know. */
const policies = ["--policy-pack", "policy", "--policy-pack-config", "policy/config.json"];

/**
 * Asks `pulumi preview --json` about a stack of the work tree, under the policy pack. Where that cannot
 * run, says why.
 */
export async function enginePreview(stack: string): Promise<EnginePreview> {
  try {
    return readPreview(await stacks.preview(stack, ...policies, "--json"));
  } catch (error) {
    const { stdout = "" } = error as Failure;
    if (failedByPolicy(stdout)) {
      const preview = stacks.preview(stack, ...policies, "--color", "never");
      const refused = refusals(await preview.catch(({ stdout = "" }: Failure) => stdout));
      if (refused.length > 0) return { ...readPreview(stdout), refused };
    }
    return { missing: reason(error as Failure), steps: [] };
  }
}

/** All resources were looked at, and no error is reported: the engine's JSON is silent on policies. */
function failedByPolicy(stdout: string): boolean {
  try {
    return (
      readPreview(stdout).steps.length > 0 &&
      diagnostics(stdout).every((line) => /^error: error: preview failed$/.test(line))
    );
  } catch {
    return false;
  }
}

type Failure = Error & Partial<PulumiFailed> & { code?: string };

function reason({ code, message, stdout = "" }: Failure): string {
  if (code === "ENOENT") return "pulumi is not on PATH";
  const said = (diagnostics(stdout)[0] ?? message).replace(/^error: */i, "").split("\n")[0] ?? "";
  return leaks([said]).length > 0 ? "an error that holds a secret" : said.slice(0, 300);
}

/** Errors that the engine reports within its JSON. */
function diagnostics(stdout: string): string[] {
  try {
    const { diagnostics = [] } = JSON.parse(stdout) as {
      diagnostics?: { severity: string; message: string }[];
    };
    return diagnostics
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => `error: ${message.trim()}`);
  } catch {
    return [];
  }
}
