import { parseArgs } from "node:util";
import { loadStackFile } from "../config/load.ts";
import { planFiles } from "../plan/files.ts";
import { plan } from "../plan/plan.ts";
import { runCommand } from "./command.ts";
import { writeRendering } from "./render/directory.ts";

// npm run render -- <stack file> --out <dir>: everything that would reach a node or the cluster, one file each.
runCommand("usage: npm run render -- <stack file> --out <directory>", 3, (args) => {
  const { values, positionals } = parseArgs({
    args,
    options: { out: { type: "string" } },
    allowPositionals: true,
  });
  const [file] = positionals;
  if (file === undefined || values.out === undefined)
    throw new TypeError("give a stack file and --out");
  const files = planFiles(plan(loadStackFile(file)));
  writeRendering(values.out, files);
  console.log(`${values.out}: ${files.size} files`);
});
