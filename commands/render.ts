import { Command } from "commander";
import { planFiles } from "../plan/files.ts";
import { plan } from "../plan/plan.ts";
import { UsageError } from "./command.ts";
import { outputFile } from "./output-file.ts";
import { stackPicture } from "./picture/stack.ts";
import { writeRendering } from "./render/directory.ts";
import { configOf } from "./stack-config.ts";
import { stackHelp } from "./stack-file.ts";

/** Everything that would reach a node or the cluster, one file each. */
export const command = new Command("render")
  .summary("every byte that would reach a machine, as files")
  .description(
    "Writes everything that would reach a node or the cluster, one file each, the same bytes at every run.",
  )
  .argument("<stack>", stackHelp)
  .option("--out <directory>", "an empty folder, or one with an earlier rendering")
  .option("--svg <file>", "the stack as a picture")
  .option("--json", "the paths of the files as JSON")
  .action((stack: string, { out, svg, json }: Options) => {
    if (out === undefined && svg === undefined)
      throw new UsageError("render: write --out <directory>, --svg <file>, or both");
    const config = configOf(stack);
    const writePicture = svg === undefined ? undefined : outputFile("--svg", svg);
    const files = planFiles(plan(config));
    if (out !== undefined) writeRendering(out, files);
    writePicture?.(stackPicture(config));
    if (json) {
      const written = out === undefined ? {} : { directory: out, files: [...files.keys()] };
      console.log(JSON.stringify({ ...written, ...(svg === undefined ? {} : { svg }) }, null, 2));
      return;
    }
    if (out !== undefined) console.log(`${out}: ${files.size} files`);
    if (svg !== undefined) console.log(`${svg}: ${config.nodes.length} nodes`);
  });

interface Options {
  out?: string;
  svg?: string;
  json?: boolean;
}
