import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "./command.ts";
import { compareStack } from "./impact/compare.ts";
import { enginePreview } from "./impact/engine.ts";
import { type Comparison, renderMarkdown } from "./impact/markdown.ts";
import { labels, type StackReport, violations } from "./impact/report.ts";
import { type Base, basePlan, headPlan, openBase, stackFilesIn } from "./impact/revision.ts";
import { renderText } from "./impact/text.ts";

const usage = `usage: npm run impact -- --base <git ref> [--stack <stack> …] [--fail-on <label> …]
                      [--markdown <file>] [--no-preview]
  --stack       a stack, or a stack's file; all of both revisions where none is given
  --fail-on     ${labels.join(", ")}: exit 3 where a change has that label or a worse one;
                risk: exit 3 where there is a risk; several with commas, or given again
  --markdown    writes the pull request's comment
  --no-preview  does not ask Pulumi's engine, also where it is on PATH`;

// npm run impact: what this revision changes on living clusters. Exit 3 by policy, 1 where a stack is
// not valid or nothing can be compared.
runCommand(usage, 2, async (args) => {
  const options = readOptions(args);
  using base = await openBase(options.base);
  const stacks =
    options.stacks.length > 0 ? options.stacks : [...stackFilesIn(), ...base.stackFiles];
  const files = [...new Set(stacks)].sort();
  const reports: StackReport[] = [];
  for (const file of files) reports.push(await reportOf(file, base, options.preview));
  if (reports.length === 0)
    throw expected("no stack's file (Pulumi.<stack>.yaml) in either revision", "ENOENT");

  const comparison: Comparison = {
    base: options.base,
    reports,
    violations: violations(reports, options.failOn),
  };
  if (options.markdown !== undefined) writeFileSync(options.markdown, renderMarkdown(comparison));
  console.log(renderText(comparison));
  const refused = reports.some(({ state }) => state === "refused");
  process.exitCode = refused ? 1 : comparison.violations.length > 0 ? 3 : 0;
});

async function reportOf(file: string, base: Base, asksEngine: boolean): Promise<StackReport> {
  const stack = basename(file).replace(/^Pulumi\.(.+)\.yaml$/, "$1");
  const head = headPlan(file);
  const before = await basePlan(base, file);
  if (before === "absent" && head === "absent")
    throw expected(
      `--stack: ${file}: in neither revision; name one of ${stackFilesIn().join(", ")}`,
      "ENOENT",
    );
  const planned = head !== "absent" && "files" in head;
  const preview = asksEngine && planned ? await enginePreview(stack) : undefined;
  const report = compareStack(stack, before, head, preview);
  return { ...report, notes: [...report.notes, ...base.notes] };
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      base: { type: "string" },
      stack: { type: "string", multiple: true, default: [] },
      "fail-on": { type: "string", multiple: true, default: [] },
      markdown: { type: "string" },
      preview: { type: "boolean", default: true },
    },
    allowNegative: true,
  });
  if (values.base === undefined)
    throw expected("--base is missing; give a git ref, such as origin/main");
  const failOn = values["fail-on"].flatMap((list) => list.split(",")).filter(Boolean);
  const known: string[] = [...labels, "risk"];
  const unknown = failOn.find((label) => !known.includes(label));
  if (unknown !== undefined)
    throw expected(`--fail-on: ${unknown}: no label; write one of ${known.join(", ")}`);
  return {
    base: values.base,
    stacks: values.stack.map((name) => (name.endsWith(".yaml") ? name : `Pulumi.${name}.yaml`)),
    failOn,
    markdown: values.markdown,
    preview: values.preview,
  };
}

function expected(message: string, code = "USAGE"): Error {
  return Object.assign(new Error(message), { code });
}
