import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fingerprintOf, generateKey, type Layout, layOut } from "../lab/artifacts/apt.ts";
import type { Artifacts } from "../lab/artifacts/artifacts.ts";
import { containerdSuite } from "../lab/artifacts/packages.ts";
import { type FileSource, type Sources, upstream } from "../lab/artifacts/upstream/sources.ts";
import { run } from "../lab/shell.ts";
import { type Mirror, push, serveFiles, serveImages } from "./upstream-mirrors.ts";

/** Artifacts in mirrors on loopback, laid out, signed and pinned as upstream's. */
export interface Mirrored {
  sources: Sources;
  close(): void;
}

/** @param work a directory that is the caller's to remove */
export async function mirrorArtifacts(artifacts: Artifacts, work: string): Promise<Mirrored> {
  const [www, keys, storage] = ["www", "keys", "registry"].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [www, keys, storage]) mkdirSync(directory);
  const [files, registry] = [await serveFiles(www), await serveImages(storage)];
  return {
    sources: {
      ...(await packagesAt(files, www, keys, artifacts)),
      ...(await filesAt(files, www, artifacts)),
      ...(await imagesAt(registry, artifacts)),
    },
    close: () => {
      for (const mirror of [files, registry]) mirror.close();
    },
  };
}

/** Repositories, each with a key of its own. */
async function packagesAt(
  { url: site }: Mirror,
  www: string,
  keys: string,
  { kubernetesApt, containerdApt }: Artifacts,
): Promise<Pick<Sources, "kubernetes" | "containerd">> {
  const repository = async (name: string, packages: string, layout: Layout) => {
    const keyHome = join(keys, name);
    mkdirSync(keyHome);
    await generateKey(keyHome, name);
    await layOut(packages, join(www, name), { layout, keyHome, origin: "upstream" });
    return { url: `${site}/${name}/`, keyFingerprint: await fingerprintOf(keyHome) };
  };
  const suite = { kind: "suite", ...containerdSuite } as const;
  const [kubernetes, docker] = await Promise.all([
    repository("kubernetes", kubernetesApt.directory, { kind: "flat" }),
    repository("docker", join(containerdApt.directory, "pool"), suite),
  ]);
  return {
    kubernetes: { ...upstream.kubernetes, ...kubernetes, key: `${kubernetes.url}Release.key` },
    containerd: { ...upstream.containerd, ...docker, key: `${docker.url}gpg` },
  };
}

/** The chart, and archives with what they have upstream and the lab takes from them. */
async function filesAt(
  { url: site }: Mirror,
  www: string,
  { charts, commands }: Artifacts,
): Promise<Pick<Sources, "chart" | "helm" | "pulumi">> {
  const archive = async ({ url }: FileSource, directory: string, program: string) => {
    const prefix = `--transform=s,^,${directory}/,`;
    const file = join(www, basename(url));
    await run("tar", ["-czf", file, prefix, "-C", dirname(program), basename(program)]);
  };
  symlinkSync(charts.cilium, join(www, basename(upstream.chart.url)));
  await Promise.all([
    archive(upstream.helm, "linux-amd64", commands.helm),
    archive(upstream.pulumi, "pulumi", commands.pulumi),
  ]);
  const at = ({ url }: FileSource) => {
    const content = readFileSync(join(www, basename(url)));
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { url: `${site}/${basename(url)}`, sha256 };
  };
  const { url, sha256 } = at(upstream.pulumi);
  writeFileSync(join(www, "checksums.txt"), `${sha256}  ${basename(url)}\n`);
  return {
    chart: at(upstream.chart),
    helm: at(upstream.helm),
    pulumi: { url, sha256: { list: `${site}/checksums.txt` } },
  };
}

async function imagesAt(
  registry: Mirror,
  { images }: Artifacts,
): Promise<Pick<Sources, "images" | "registries">> {
  const digests: Record<string, string> = {};
  for (const { reference, source } of images)
    digests[reference] = await push(source, registry, reference);
  const hosts = new Set(images.map(({ reference }) => reference.split("/")[0] ?? ""));
  return {
    images: digests,
    registries: Object.fromEntries([...hosts].map((host) => [host, `${registry.url}/${host}`])),
  };
}
