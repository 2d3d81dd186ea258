import { join } from "node:path";
import { type BaseTree, makeTree } from "../hosts/tree.ts";
import type { Progress } from "../progress.ts";
import { type AptRepository, makeRepository } from "./apt.ts";
import { type Built, build, downloadSources } from "./build.ts";
import { type ChartRepository, makeCharts } from "./chart.ts";
import { ciliumImages, ciliumTree } from "./cilium-images.ts";
import { findGo } from "./go.ts";
import { clusterImages, type Image } from "./images.ts";
import { containerdPackages, containerdSuite, kubernetesPackages } from "./packages.ts";
import { type Recipe, recipes } from "./recipes.ts";
import { downloadArtifacts } from "./upstream/artifacts.ts";
import { chooseOrigin, type Origin } from "./upstream/origin.ts";
import { chosenSources } from "./upstream/sources.ts";

/** Everything that the mirrors serve, except the distribution's own packages. */
export interface Artifacts {
  kubernetesApt: AptRepository;
  containerdApt: AptRepository;
  charts: ChartRepository;
  images: Image[];
  /** Paths of the commands that this machine runs itself. */
  commands: { helm: string; kubectl: string; kubeadm: string; pulumi: string };
  /** Path of CoreDNS, which is also the lab's name server. */
  coredns: string;
  origin: Origin;
}

type BuiltRecipes = Record<keyof typeof recipes, Built>;

/**
 * Every artifact, from the cache where it has been there before: upstream's own where the internet is reached, else
 * built from Go modules, which takes half an hour the first time.
 */
export async function makeArtifacts(progress: Progress): Promise<Artifacts> {
  const sources = chosenSources();
  const origin = await chooseOrigin(sources);
  return origin === "upstream" ? downloadArtifacts(sources, progress) : buildArtifacts(progress);
}

/** Every artifact, built from Go modules unless it is in the cache. */
export async function buildArtifacts(progress: Progress): Promise<Artifacts> {
  const go = await findGo();
  const [built, tree] = await Promise.all([buildAll(go, progress), makeTree(ciliumTree, progress)]);
  return progress.phase("packages, images and charts", () => assemble(built, tree, go));
}

/**
 * Builds two recipes at a time: one links with a single core while the other compiles. All modules
 * are downloaded at once, from the first moment on.
 */
async function buildAll(go: string, progress: Progress): Promise<BuiltRecipes> {
  const downloads = Promise.all(
    Object.values<Recipe>(recipes).map((recipe) => downloadSources(go, recipe)),
  );
  const built = {} as BuiltRecipes;
  const queue = Object.entries(recipes) as [keyof typeof recipes, Recipe][];
  const builder = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, recipe] = next;
      built[name] = await build(go, recipe, progress);
    }
  };
  await Promise.all([downloads, builder(), builder()]);
  return built;
}

async function assemble(built: BuiltRecipes, tree: BaseTree, go: string): Promise<Artifacts> {
  const [kubernetesApt, containerdApt, charts, images, cilium] = await Promise.all([
    kubernetesPackages(built).then((packages) =>
      makeRepository("kubernetes", packages, { kind: "flat" }),
    ),
    containerdPackages(built, go).then((packages) =>
      makeRepository("docker", packages, { kind: "suite", ...containerdSuite }),
    ),
    makeCharts(go, built.helm),
    clusterImages(built, go),
    ciliumImages(built, tree, go),
  ]);
  const kubernetes = built.kubernetes.directory;
  return {
    kubernetesApt,
    containerdApt,
    charts,
    images: [...images, ...cilium],
    coredns: join(built.coredns.directory, "coredns"),
    commands: {
      helm: join(built.helm.directory, "helm"),
      kubectl: join(kubernetes, "kubectl"),
      kubeadm: join(kubernetes, "kubeadm"),
      pulumi: join(built.pulumi.directory, "pulumi"),
    },
    origin: "modules",
  };
}
