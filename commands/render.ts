import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { loadStackFile } from "../config/load.ts";
import { planFiles } from "../plan/files.ts";
import { plan } from "../plan/plan.ts";
import { runCommand } from "./command.ts";

const marker = ".oslo-cluster-render";

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
  emptyRendering(values.out);
  for (const [path, content] of files) {
    const target = join(values.out, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  console.log(`${values.out}: ${files.size} files`);
});

/** Takes only a directory that is empty or holds an earlier rendering: nothing of anyone else's is lost. */
function emptyRendering(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const entries = readdirSync(directory);
  if (entries.length > 0 && !entries.includes(marker)) {
    const error = new Error(
      `--out: ${directory}: not empty, and not an earlier rendering; name another directory`,
    );
    throw Object.assign(error, { code: "ENOTEMPTY" });
  }
  for (const entry of entries) rmSync(join(directory, entry), { recursive: true });
  writeFileSync(join(directory, marker), "");
}
