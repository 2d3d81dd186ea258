import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pulumiOnPath } from "../../commands/engine/cli.ts";
import { buildArtifacts } from "../lab/artifacts/artifacts.ts";
import { agnhostImage, pauseVersion } from "../lab/artifacts/recipes.ts";
import type { Sources } from "../lab/artifacts/upstream/sources.ts";
import { hostTree, makeTree } from "../lab/hosts/tree.ts";
import { cacheDirectory } from "../lab/paths.ts";
import { Progress } from "../lab/progress.ts";
import { ensureTools } from "../lab/tools.ts";
import { unproven } from "../lab/verification/unproven.ts";
import { root } from "../root.ts";
import { footprint } from "./footprint.ts";
import { type Mirrored, mirrorArtifacts } from "./mirror-artifacts.ts";
import { askLoopbackItself } from "./upstream-mirrors.ts";

// What a lab has built from modules lies in mirrors, and a lab whose cache is empty takes everything from them.

const minutes = 60_000;
let work = "";
const within = (name: string) => join(work, name);
const before = footprint();
let mirrored: Mirrored | undefined;

beforeAll(async () => {
  await ensureTools();
  askLoopbackItself();
  const progress = new Progress();
  const [artifacts, tree] = await Promise.all([
    buildArtifacts(progress),
    makeTree(hostTree, progress),
  ]);
  // Beside the cache: where temporary files lie may be no room for images.
  work = mkdtempSync(join(dirname(cacheDirectory), "oslo-upstream-"));
  // Debian's, wherever the other artifacts come from.
  const { root: debian } = tree;
  mkdirSync(within("cache/trees"), { recursive: true });
  symlinkSync(dirname(debian), within(`cache/trees/${basename(dirname(debian))}`));
  forbidCompilers();
  mirrored = await progress.phase("fill mirrors", () => mirrorArtifacts(artifacts, work));
  writeSources(mirrored.sources);
}, 80 * minutes);

afterAll(async () => {
  if (work === "") return;
  await lab("down");
  mirrored?.close();
  rmSync(work, { recursive: true, force: true });
}, 5 * minutes);

test("a whole cluster comes from mirrors alone, and keeps what one from modules keeps", {
  timeout: 30 * minutes,
}, async () => {
  const { exitCode, stdout, stderr } = await lab("up");
  expect(exitCode).toBe(0);
  expect(stderr).toContain(`the program runs through ${pulumiOnPath() ?? within("cache")}`);
  const [, promises, passed] = stdout.match(/^(\d+) promises: (\d+) passed, 0 failed,/m) ?? [];
  const known = Object.keys(unproven);
  const others = stdout.match(/^[–○] .*$/gm) ?? [];
  expect(others.filter((line) => !known.some((one) => line.slice(2).startsWith(one)))).toEqual([]);
  expect(Number(passed)).toBe(Number(promises) - known.length);
  expect(stderr).not.toContain(" build ");
  expect(callsOfCompilers()).toBe("");
});

test("pods run the mirror's images, by their digests", { timeout: minutes }, async () => {
  const { stdout } = await lab("exec", "kubectl", "get", "pods", "--all-namespaces", "-o", "json");
  const { items } = JSON.parse(stdout) as {
    items: { status: Record<string, { imageID: string }[] | undefined> }[];
  };
  const running = items.flatMap(({ status }) => [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ]);
  // The kubelet's own, and one of tests' pods, are of no pod that stays.
  const passing = new Set([agnhostImage, `registry.k8s.io/pause:${pauseVersion}`]);
  const expected = Object.keys(sources().images).filter((reference) => !passing.has(reference));
  const known = new Map<string, string>();
  for (const reference of expected)
    for (const id of await idsOf(reference)) known.set(id, reference);
  const found = new Set(running.map(({ imageID }) => known.get(imageID) ?? imageID));
  expect([...found].sort()).toEqual(expected.sort());
});

/** What a pod's status calls an image: by its manifest, or by its configuration where it was imported by its tag. */
async function idsOf(reference: string): Promise<string[]> {
  const { images, registries } = sources();
  const digest = `sha256:${images[reference]}`;
  const name = reference.replace(/:[^:]*$/, "");
  const { origin } = new URL(registries[name.split("/")[0] ?? ""] ?? "");
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await fetch(`${origin}/v2/${name}/manifests/${digest}`, { headers: { accept } });
  const { config } = (await manifest.json()) as { config: { digest: string } };
  return [`${name}@${digest}`, config.digest];
}

test("down leaves nothing behind", { timeout: 5 * minutes }, async () => {
  expect((await lab("down")).exitCode).toBe(0);
  expect(footprint()).toEqual(before);
});

test("a repository of another key ends it before there is a host", {
  timeout: 5 * minutes,
}, async () => {
  const { kubernetes, containerd } = sources();
  const { keyFingerprint } = containerd;
  writeSources({ ...sources(), kubernetes: { ...kubernetes, keyFingerprint } });
  const { exitCode, stderr } = await lab("up");
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`its keys are ${kubernetes.keyFingerprint}, expected ${keyFingerprint}`);
  expect(footprint()).toEqual(before);
});

/** `npm run lab -- WORDS`, with a cache of its own and the mirrors, where no compiler works. */
function lab(...words: string[]) {
  return execa(process.execPath, ["test/lab/main.ts", ...words], {
    cwd: root,
    env: {
      OSLO_LAB_CACHE: within("cache"),
      OSLO_LAB_ARTIFACTS: "upstream",
      OSLO_LAB_SOURCES: within("sources.json"),
      PATH: `${within("bin")}:${process.env.PATH}`,
    },
    ...{ stdout: ["pipe", "inherit"], stderr: ["pipe", "inherit"], reject: false },
  } as const);
}

function sources(): Sources {
  if (mirrored === undefined) throw new Error("there are no mirrors");
  return mirrored.sources;
}

function writeSources(all: Sources): void {
  writeFileSync(within("sources.json"), JSON.stringify(all));
}

/** Puts compilers before this machine's that fail, and note who has called them. */
function forbidCompilers(): void {
  mkdirSync(within("bin"));
  for (const name of ["go", "gcc", "cc", "clang"]) {
    const script = `#!/bin/sh\necho "$0 $*" >>'${within("compilers")}'\nexit 1\n`;
    writeFileSync(within(`bin/${name}`), script, { mode: 0o755 });
  }
}

function callsOfCompilers(): string {
  const file = within("compilers");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
