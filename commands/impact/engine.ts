import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type EnginePreview, readPreview } from "../../impact/preview.ts";
import { leaks } from "../../plan/secrets.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** A preview asks the state and the charts, no machine; longer than this is a backend that hangs. */
const limitMilliseconds = 10 * 60_000;

/** Asks `pulumi preview --json` about a stack of the work tree. Where that cannot run, says why. */
export async function enginePreview(stack: string): Promise<EnginePreview> {
  const args = ["preview", "--json", "--non-interactive", "--stack", stack];
  try {
    const options = { cwd: root, timeout: limitMilliseconds, maxBuffer: 256 * 1024 * 1024 };
    return readPreview((await execute("pulumi", args, options)).stdout);
  } catch (error) {
    return { missing: reason(error as Failure), steps: [] };
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
