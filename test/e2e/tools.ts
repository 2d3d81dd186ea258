import { existsSync, readFileSync } from "node:fs";
import { makeArtifacts } from "../lab/artifacts/artifacts.ts";
import type { LabFacts } from "../lab/facts.ts";
import { factsFile } from "../lab/paths.ts";
import { Progress } from "../lab/progress.ts";
import { ensureTools } from "../lab/tools.ts";

/** The real kubeadm and helm, and Cilium's real chart: those of the lab that is up, else from its cache. */
export async function realTools(): Promise<Pick<LabFacts, "kubeadm" | "helm" | "chart">> {
  if (existsSync(factsFile)) return JSON.parse(readFileSync(factsFile, "utf8")) as LabFacts;
  try {
    await ensureTools();
    const { commands, charts } = await makeArtifacts(new Progress());
    return { ...commands, chart: charts.cilium };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No kubeadm, helm and chart to hold the documents against (${factsFile} is absent, and they cannot be made: ${reason}); run npm run lab first.`,
    );
  }
}
