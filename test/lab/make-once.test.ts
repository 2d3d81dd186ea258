import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { describeOnLinux } from "../needs.ts";
import { makeOnce } from "./make-once.ts";
import { waitFor } from "./shell.ts";

const folder = mkdtempSync(join(tmpdir(), "make-once-"));
const module = join(import.meta.dirname, "make-once.ts");

afterAll(() => rmSync(folder, { recursive: true }));

/** A process that makes a directory, and takes as long as it lives. */
function makeForEver(directory: string) {
  const script = `import { makeOnce } from ${JSON.stringify(module)};
await makeOnce(process.argv[1], () => new Promise((resolve) => setTimeout(resolve, 1e9)));`;
  return spawn(process.execPath, ["--input-type=module", "--eval", script, directory], {
    stdio: "ignore",
  });
}

const beginsToBeMade = (name: string) =>
  readdirSync(folder).some((entry) => entry.startsWith(`${name}.partial-`));

describeOnLinux("a directory that is made once", () => {
  test("one of several makes it, and all get it", async () => {
    const directory = join(folder, "shared");
    let made = 0;
    const make = async (partial: string) => writeFileSync(join(partial, "of"), `${++made}`);
    const all = await Promise.all([1, 2, 3].map(() => makeOnce(directory, make)));
    expect(all).toEqual([directory, directory, directory]);
    expect(made).toBe(1);
    expect(readdirSync(directory)).toEqual(["of"]);
  });

  test("another process is waited for, and its end leaves it to be made", async () => {
    const directory = join(folder, "killed");
    const other = makeForEver(directory);
    await waitFor("the other to begin", 30, () => beginsToBeMade("killed"));
    let made = false;
    const mine = makeOnce(directory, async () => {
      made = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(made).toBe(false);
    other.kill("SIGKILL");
    await mine;
    expect(made).toBe(true);
    expect(existsSync(directory)).toBe(true);
  });

  test("what fails leaves nothing, and the next one makes it", async () => {
    const directory = join(folder, "failed");
    const failing = makeOnce(directory, () => Promise.reject(new Error("no compiler")));
    await expect(failing).rejects.toThrow("no compiler");
    expect(readdirSync(folder).filter((name) => name.startsWith("failed"))).toEqual([
      "failed.lock",
    ]);
    expect(await makeOnce(directory, async () => {})).toBe(directory);
  });
});
