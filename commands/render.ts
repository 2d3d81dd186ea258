import { Command } from "commander";
import { loadStackFile } from "../config/load.ts";
import { planFiles } from "../plan/files.ts";
import { plan } from "../plan/plan.ts";
import { writeRendering } from "./render/directory.ts";
import { stackFileOf, stackHelp } from "./stack-file.ts";

/** Everything that would reach a node or the cluster, one file each. */
export const command = new Command("render")
  .summary("every byte that would reach a machine, as files")
  .description(
    "Writes everything that would reach a node or the cluster, one file each, the same bytes at every run.",
  )
  .argument("<stack>", stackHelp)
  .requiredOption("--out <directory>", "an empty folder, or one with an earlier rendering")
  .option("--json", "the paths of the files as JSON")
  .action((stack: string, { out, json }: { out: string; json?: boolean }) => {
    const files = planFiles(plan(loadStackFile(stackFileOf(stack))));
    writeRendering(out, files);
    console.log(
      json
        ? JSON.stringify({ directory: out, files: [...files.keys()] }, null, 2)
        : `${out}: ${files.size} files`,
    );
  });
