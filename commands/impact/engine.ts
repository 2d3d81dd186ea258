import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { leaks } from "../../plan/secrets.ts";
import { refusals } from "./policies.ts";
import { type EnginePreview, readPreview } from "./preview.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** A preview asks the state and the charts, no machine; longer than this is a backend that hangs. */
const limitMilliseconds = 10 * 60_000;

/** The rules that only resources can tell, and what they are to know. */
const policies = ["--policy-pack", "policy", "--policy-pack-config", "policy/config.json"];

/**
 * Asks `pulumi preview --json` about a stack of the work tree, under the policy pack. Where that cannot
 * run, says why.
 */
export async function enginePreview(stack: string): Promise<EnginePreview> {
  try {
    return readPreview(await preview(stack, "--json"));
  } catch (error) {
    const { stdout = "" } = error as Failure;
    if (failedByPolicy(stdout)) {
      const refused = refusals(await preview(stack, "--color", "never").catch(printedBy));
      if (refused.length > 0) return { ...readPreview(stdout), refused };
    }
    return { missing: reason(error as Failure), steps: [] };
  }
}

async function preview(stack: string, ...args: string[]): Promise<string> {
  const options = { cwd: root, timeout: limitMilliseconds, maxBuffer: 256 * 1024 * 1024 };
  const call = ["preview", "--non-interactive", "--stack", stack, ...policies, ...args];
  return (await execute("pulumi", call, options)).stdout;
}

function printedBy({ stdout = "" }: Failure): string {
  return stdout;
}

/** All resources were looked at, and no error is told: the engine's JSON is silent on policies. */
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

type Failure = Error & {
  code?: string | number;
  killed?: boolean;
  stdout?: string;
  stderr?: string;
};

function reason({ code, killed, message, stdout = "", stderr = "" }: Failure): string {
  if (code === "ENOENT") return "pulumi is not on PATH";
  if (killed) return `no answer within ${limitMilliseconds / 60_000} minutes`;
  const line = [...stderr.split("\n"), ...diagnostics(stdout), ...stdout.split("\n"), message]
    .map((text) => text.trim())
    .find((text) => /^error:/i.test(text) || text === message);
  const said = (line ?? message).replace(/^error: */i, "").split("\n")[0] ?? "";
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
