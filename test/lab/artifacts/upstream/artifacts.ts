import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeOnce } from "../../make-once.ts";
import { cacheDirectory } from "../../paths.ts";
import type { Progress } from "../../progress.ts";
import { contentKey, run } from "../../shell.ts";
import { makeRepository } from "../apt.ts";
import type { Artifacts } from "../artifacts.ts";
import type { Image } from "../images.ts";
import { containerdSuite } from "../packages.ts";
import { downloadVerified } from "./files.ts";
import { downloadImage } from "./images.ts";
import { downloadPackages } from "./packages.ts";
import type { FileSource, Sources } from "./sources.ts";

/** Downloads every artifact, or takes it from the cache. Nothing is compiled. */
export async function downloadArtifacts(sources: Sources, progress: Progress): Promise<Artifacts> {
  const [packages, images, helm, pulumi, charts] = await Promise.all([
    progress.phase("download packages", () => aptRepositories(sources)),
    progress.phase("download images", () => allImages(sources)),
    progress.phase("download Helm", () => unpacked("helm", sources.helm)),
    progress.phase("download Pulumi's CLI", () => unpacked("pulumi", sources.pulumi)),
    once("charts", sources.chart, async (partial) => {
      await downloadVerified(sources.chart, partial);
    }),
  ]);
  const command = join(helm, "linux-amd64", "helm");
  await run(command, ["repo", "index", charts]);
  const { binaries, ...repositories } = packages;
  return {
    ...repositories,
    images,
    charts: { directory: charts, cilium: join(charts, basename(sources.chart.url)) },
    commands: {
      helm: command,
      kubectl: join(binaries, "usr/bin/kubectl"),
      kubeadm: join(binaries, "usr/bin/kubeadm"),
      pulumi: join(pulumi, "pulumi", "pulumi"),
    },
    coredns: await fromImage(images, "coredns"),
    origin: "upstream",
  };
}

/** Upstream's packages in repositories of the lab's own, and the programs that this machine runs itself. */
async function aptRepositories({ kubernetes, containerd }: Sources) {
  const [ofKubernetes, ofContainerd] = await Promise.all(
    [kubernetes, containerd].map((source) =>
      once("packages", source, (partial) => downloadPackages(source, partial)),
    ),
  );
  const [kubernetesApt, containerdApt] = await Promise.all([
    makeRepository("kubernetes", ofKubernetes ?? "", { kind: "flat" }),
    makeRepository("docker", ofContainerd ?? "", { kind: "suite", ...containerdSuite }),
  ]);
  const binaries = await once("binaries", kubernetes, (partial) =>
    unpackPrograms(ofKubernetes ?? "", partial),
  );
  return { kubernetesApt, containerdApt, binaries };
}

async function unpackPrograms(packages: string, target: string): Promise<void> {
  const each =
    'for file in "$1"/kubeadm_*.deb "$1"/kubectl_*.deb; do dpkg-deb -x "$file" "$2"; done';
  await run("sh", ["-ec", each, "sh", packages, target]);
}

async function allImages(sources: Sources): Promise<Image[]> {
  return Promise.all(
    Object.entries(sources.images).map(async ([reference, digest]) => {
      const tag = reference.slice(reference.lastIndexOf(":") + 1);
      const directory = await once("images", { reference, digest }, async (partial) => {
        await downloadImage(reference, sources, partial);
      });
      return { reference, source: `oci:${join(directory, "layout")}:${tag}` };
    }),
  );
}

async function unpacked(name: string, source: FileSource): Promise<string> {
  return once(`binaries/${name}`, source, async (partial) => {
    const archive = await downloadVerified(source, partial);
    await run("tar", ["-xzf", archive, "-C", partial]);
  });
}

/** The program at the root of an image that is named after it. */
async function fromImage(images: readonly Image[], name: string): Promise<string> {
  const image = images.find(({ reference }) => reference.includes(`/${name}:`));
  if (image === undefined) throw new Error(`no image of ${name}`);
  const root = await once("binaries", image, async (partial) => {
    await mkdir(join(partial, "root"));
    await run("umoci", [
      "raw",
      "unpack",
      "--image",
      image.source.slice("oci:".length),
      join(partial, "root"),
    ]);
  });
  return join(root, "root", name);
}

/** A directory in the cache, named after what it was made from. */
function once(
  folder: string,
  source: unknown,
  make: (partial: string) => Promise<void>,
): Promise<string> {
  return makeOnce(
    join(cacheDirectory, "upstream", folder, contentKey(JSON.stringify(source))),
    make,
  );
}
