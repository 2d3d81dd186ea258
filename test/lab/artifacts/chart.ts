import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeOnce } from "../make-once.ts";
import { cacheDirectory } from "../paths.ts";
import { contentKey, run } from "../shell.ts";
import type { Built } from "./build.ts";
import { downloadModule, modulesDirectory } from "./go.ts";
import { ciliumVersion } from "./recipes.ts";

/** A chart repository in the cache. */
export interface ChartRepository {
  /** Directory with index.yaml and the archives. */
  directory: string;
  /** Path of Cilium's packaged chart. */
  cilium: string;
}

/** Packages Cilium's chart out of its module, as helm.cilium.io serves it. */
export async function makeCharts(go: string, helm: Built): Promise<ChartRepository> {
  const sums = await readFile(join(modulesDirectory, "cilium", "go.sum"));
  const directory = await makeOnce(
    join(cacheDirectory, "charts", contentKey(sums, helm.key)),
    async (partial) => {
      const module = await downloadModule(go, "cilium", "github.com/cilium/cilium");
      const command = join(helm.directory, "helm");
      const chart = join(module, "install", "kubernetes", "cilium");
      await run(command, ["package", chart, "--destination", partial]);
      await run(command, ["repo", "index", partial]);
    },
  );
  return { directory, cilium: join(directory, `cilium-${ciliumVersion}.tgz`) };
}
