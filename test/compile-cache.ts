import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Of one run of the tests: what Node compiles, and strips of types, is kept for the next command that a
 * test starts. Half of a command's time is that.
 */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "compile-cache-"));
  process.env.NODE_COMPILE_CACHE = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
