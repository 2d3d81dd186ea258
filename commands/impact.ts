import { basename } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Command } from "commander";
import { UsageError, UserError } from "./command.ts";
import { compareStack } from "./impact/compare.ts";
import { type Comparison, renderMarkdown } from "./impact/markdown.ts";
import { writePictures } from "./impact/pictures.ts";
import { labels, type StackReport, violations } from "./impact/report.ts";
import {
  type Base,
  basePicture,
  basePlan,
  headPicture,
  headPlan,
  openBase,
  stackFilesIn,
} from "./impact/revision.ts";
import { enginePreview } from "./impact/run-preview.ts";
import { renderText } from "./impact/text.ts";
import { untilInterrupted } from "./interrupt.ts";
import { outputFile } from "./output-file.ts";
import { type Progress, progress } from "./progress.ts";

interface Options {
  base: string;
  failOn: string[];
  markdown?: string;
  full?: boolean;
  whole?: string;
  pictures?: string;
  details?: string;
  json?: boolean;
  preview: boolean;
}

/** What this revision changes on living clusters. */
export const command = new Command("impact")
  .summary("what a revision changes on living clusters")
  .description(
    "Compares the plans of this work tree with those of an earlier revision, and says what the difference does to living clusters.",
  )
  .argument("[stacks...]", "stacks, by name or file; all of both revisions where none is given")
  .requiredOption("--base <ref>", "the git ref to compare with, such as origin/main")
  .option(
    "--fail-on <labels>",
    `exit 3 where a change has this label or a worse one (${labels.join(", ")}), or where there is a risk (risk); several with commas`,
    failOn,
    [] as string[],
  )
  .option("--full", "every line of every difference")
  .option("--markdown <file>", "writes the pull request's comment")
  .option("--whole <file>", "writes every line of every difference")
  .option(
    "--pictures <folder>",
    "writes each stack's picture before and after, as render --svg draws it, where it changed",
  )
  .option("--details <url>", "where the comment's readers find that file")
  .option("--json", "the result as JSON")
  .option("--no-preview", "does not ask Pulumi's engine, even where it is on PATH")
  .action(impact);

async function impact(stacks: string[], options: Options): Promise<void> {
  const signal = untilInterrupted();
  const { markdown, whole } = options;
  const writeComment = markdown === undefined ? undefined : outputFile("--markdown", markdown);
  const writeWhole = whole === undefined ? undefined : outputFile("--whole", whole);
  using shown = progress();
  shown.at(`unpacking ${options.base}`);
  using base = await openBase(options.base, signal);
  const named = stacks.map((name) => (name.endsWith(".yaml") ? name : `Pulumi.${name}.yaml`));
  const files = named.length > 0 ? named : [...stackFilesIn(), ...base.stackFiles];
  const reports: StackReport[] = [];
  for (const file of [...new Set(files)].sort())
    reports.push(await reportOf(file, base, options, shown, signal));
  if (reports.length === 0)
    throw new UserError("no stack's file (Pulumi.<stack>.yaml) in either revision");

  const comparison: Comparison = {
    base: options.base,
    reports,
    violations: violations(reports, options.failOn),
    ...(options.details === undefined ? {} : { details: options.details }),
  };
  writeComment?.(renderMarkdown(comparison));
  writeWhole?.(stripVTControlCharacters(renderText(comparison, { full: true })));
  shown[Symbol.dispose]();
  const { json, full } = options;
  console.log(json ? JSON.stringify(comparison, null, 2) : renderText(comparison, { full }));
  const refused = reports.some(({ state }) => state === "refused");
  process.exitCode = refused ? 1 : comparison.violations.length > 0 ? 3 : 0;
}

async function reportOf(
  file: string,
  base: Base,
  { preview: asksEngine, pictures: folder }: Options,
  shown: Progress,
  signal: AbortSignal,
): Promise<StackReport> {
  const stack = basename(file).replace(/^Pulumi\.(.+)\.yaml$/, "$1");
  shown.at(`planning ${stack}`);
  const head = headPlan(file);
  const before = await basePlan(base, file, signal);
  if (before === "absent" && head === "absent")
    throw new UserError(
      `${stack}: no such stack in either revision; there are ${stackFilesIn().join(", ")}`,
    );
  const planned = head !== "absent" && "files" in head;
  if (asksEngine && planned) shown.at(`asking Pulumi's engine about ${stack}`);
  const preview = asksEngine && planned ? await enginePreview(stack) : undefined;
  signal.throwIfAborted();
  const report = compareStack(stack, before, head, preview);
  const pictures =
    folder === undefined || !planned
      ? []
      : writePictures(folder, stack, await basePicture(base, file, signal), headPicture(file));
  return { ...report, pictures, notes: [...report.notes, ...base.notes] };
}

function failOn(list: string, known: string[]): string[] {
  const names = list.split(",").filter(Boolean);
  const all: string[] = [...labels, "risk"];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--fail-on: ${unknown}: no label; write one of ${all.join(", ")}`);
  return [...known, ...names];
}
