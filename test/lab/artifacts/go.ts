import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { installPackages } from "../apt.ts";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import { say } from "../progress.ts";
import { contentKey, onPath, run } from "../shell.ts";

export const modulesDirectory = join(import.meta.dirname, "modules");

/** Oldest Go that can build Kubernetes 1.36 and containerd 2.4. */
const oldestMinor = 26;

/** Settings that make a build depend on the committed module files alone. */
export const goEnvironment = {
  GOFLAGS: "-mod=readonly -buildvcs=false",
  GOTOOLCHAIN: "local",
  GOWORK: "off",
} as const;

/**
 * A Go compiler: the one on PATH when it is new enough, else the toolchain that Go's own module
 * proxy serves, verified against modules/toolchain/go.sum. Any old Go can fetch it.
 *
 * @returns the path of the go command
 */
export async function findGo(): Promise<string> {
  const version = await execa("go", ["env", "GOVERSION"], {
    env: { GOTOOLCHAIN: "local" },
    reject: false,
  });
  const found = /^go1\.(\d+)/.exec(typeof version.stdout === "string" ? version.stdout : "");
  if (found && Number(found[1]) >= oldestMinor) return "go";
  if (!(await onPath("go"))) {
    say("  installing golang-go, which fetches the pinned toolchain");
    await installPackages("golang-go");
  }
  const sums = await readFile(join(modulesDirectory, "toolchain", "go.sum"));
  const toolchain = await makeOnce(
    join(cacheDirectory, "go", contentKey(sums)),
    async (partial) => {
      const source = await downloadModule("go", "toolchain", "golang.org/toolchain");
      await run("cp", ["-r", `${source}/.`, partial]);
      await run("chmod", ["-R", "u+w", partial]);
      // A module archive carries no execute permission.
      await run("sh", ["-c", 'chmod +x "$1"/bin/* "$1"/pkg/tool/*/*', "sh", partial]);
    },
  );
  return join(toolchain, "bin", "go");
}

/**
 * Downloads a module that modules/NAME/go.mod pins and go.sum verifies.
 *
 * @returns the directory with its source
 */
export async function downloadModule(go: string, name: string, module: string): Promise<string> {
  const output = await run(go, ["mod", "download", "-json", module], {
    cwd: join(modulesDirectory, name),
    env: { ...goEnvironment, GOFLAGS: "-mod=readonly" },
  });
  return (JSON.parse(output) as { Dir: string }).Dir;
}
