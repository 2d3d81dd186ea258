import { join } from "node:path";
import type { Progress } from "../progress.ts";
import { type AptRepository, makeRepository } from "./apt.ts";
import { type Built, build } from "./build.ts";
import { type ChartRepository, makeCharts } from "./chart.ts";
import { findGo } from "./go.ts";
import { clusterImages, givenImages, type Image } from "./images.ts";
import { containerdPackages, kubernetesPackages } from "./packages.ts";
import { type Recipe, recipes } from "./recipes.ts";

/** Suite and component of the repository for containerd, as Docker names them. */
export const containerdSuite = { suite: "bookworm", component: "stable" } as const;

/** Everything that the mirrors serve, except the distribution's own packages. */
export interface Artifacts {
  kubernetesApt: AptRepository;
  containerdApt: AptRepository;
  charts: ChartRepository;
  images: Image[];
  /** Paths of the commands that this machine runs itself. */
  commands: { helm: string; kubectl: string; kubeadm: string };
  /** Path of CoreDNS, which is also the lab's name server. */
  coredns: string;
}

/** Makes every artifact, or takes it from the cache; minutes the first time, then an instant. */
export async function makeArtifacts(progress: Progress): Promise<Artifacts> {
  const go = await findGo();
  const built = {} as Record<keyof typeof recipes, Built>;
  for (const [name, recipe] of Object.entries(recipes) as [keyof typeof recipes, Recipe][]) {
    built[name] = await build(go, recipe, progress);
  }
  return progress.phase("packages, images and charts", async () => {
    const { suite, component } = containerdSuite;
    const [kubernetesApt, containerdApt, charts, images, given] = await Promise.all([
      kubernetesPackages(built).then((packages) =>
        makeRepository("kubernetes", packages, { kind: "flat" }),
      ),
      containerdPackages(built, go).then((packages) =>
        makeRepository("docker", packages, { kind: "suite", suite, component }),
      ),
      makeCharts(go, built.helm),
      clusterImages(built, go),
      givenImages(),
    ]);
    const kubernetes = built.kubernetes.directory;
    return {
      kubernetesApt,
      containerdApt,
      charts,
      images: [...images, ...given],
      coredns: join(built.coredns.directory, "coredns"),
      commands: {
        helm: join(built.helm.directory, "helm"),
        kubectl: join(kubernetes, "kubectl"),
        kubeadm: join(kubernetes, "kubeadm"),
      },
    };
  });
}
