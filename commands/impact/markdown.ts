import { assertShown, unified } from "./diff.ts";
import type { EnginePreview } from "./preview.ts";
import { count, countsOf, headline, labelOf, labels, places, type StackReport } from "./report.ts";
import type { Change } from "./stack.ts";

/** The comment's first line, by which the next run finds the comment that it edits. */
export const marker = "<!-- oslo-cluster impact -->";

/** What GitHub takes is 65,536 characters; what is above this is left to the terminal. */
const longest = 60_000;

export interface Comparison {
  /** The revision that is compared with, as it was given. */
  base: string;
  reports: StackReport[];
  /** What breaks the policy; empty where nothing does. */
  violations: string[];
}

/**
 * The comment of a pull request. Pure; the same comparison gives the same bytes.
 * @throws Error where it would hold what looks like a secret.
 */
export function renderMarkdown(comparison: Comparison): string {
  // Diffs give way first, and never a headline or a risk.
  for (const lines of [200, 60, 15, 0]) {
    const text = render(comparison, lines);
    if (text.length > longest && lines > 0) continue;
    assertShown("the comment", text);
    return text.length > longest
      ? `${text.slice(0, longest)}\n\n… cut: see \`npm run impact\`\n`
      : text;
  }
  throw new Error("unreachable");
}

function render({ base, reports, violations }: Comparison, diffLines: number): string {
  const blocks = [
    marker,
    "## What this changes on living clusters",
    ...reports.map((report) => renderStack(report, diffLines)),
    ...(violations.length > 0
      ? [
          `**This needs a decision**: ${violations.join("; ")}. Where it is meant, a maintainer sets the label that the workflow asks for; what is impossible must be put back.`,
        ]
      : []),
    `<sub>Plans of this revision held against \`${base}\`. Labels: ${[...labels].reverse().join(" < ")}; the README's chapter for reviewers says what each means.</sub>`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

function renderStack(report: StackReport, diffLines: number): string {
  const { stack, risks, notes, changes, preview } = report;
  const counts = countsOf(report);
  return [
    `### ${stack}: ${plain(headline(report))}`,
    ...(risks.length > 0 ? [list(risks.map((risk) => `⚠️ ${plain(risk)}`))] : []),
    ...(counts.length > 0
      ? [
          [
            row(counts.map(([label]) => label)),
            row(counts.map(() => "---:")),
            row(counts.map(([, number]) => String(number))),
          ].join("\n"),
        ]
      : []),
    ...changes.map((change) => renderChange(change, diffLines)),
    ...(notes.length > 0 ? [list(notes.map(plain))] : []),
    ...(preview ? [renderPreview(preview)] : []),
  ].join("\n\n");
}

function renderChange(change: Change, diffLines: number): string {
  const { what, effects } = change;
  const says = effects.map(({ impact, says }) => `<b>${impact}</b>: ${plain(says)}`).join("<br>");
  const diff = diffLines > 0 ? unified(change, diffLines) : "… see `npm run impact`";
  const fence = "`".repeat(
    Math.max(3, ...[...diff.matchAll(/`+/g)].map(([run]) => run.length + 1)),
  );
  return [
    `<details><summary><b>${labelOf(change)}</b> <code>${plain(what)}</code> on ${plain(places([change]))}</summary>`,
    `<p>${says}</p>`,
    `${fence}diff\n${diff}\n${fence}`,
    "</details>",
  ].join("\n\n");
}

function renderPreview({ missing, steps }: EnginePreview): string {
  if (missing !== undefined) return `No preview of Pulumi's engine: ${plain(missing)}`;
  if (steps.length === 0) return "Pulumi's engine would change nothing.";
  const lines = steps.map(
    ({ operation, type, name, inputs }) =>
      `${operation.padEnd(18)} ${type} ${name}${inputs.length > 0 ? ` (${inputs.join(", ")})` : ""}`,
  );
  const shown =
    lines.length > 100 ? [...lines.slice(0, 100), `… ${lines.length - 100} more`] : lines;
  return [
    `<details><summary>Pulumi's engine: ${count(steps.length, "operation")}</summary>`,
    `\`\`\`\n${shown.join("\n")}\n\`\`\``,
    "</details>",
  ].join("\n\n");
}

function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function row(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/**
 * Text of a stack's file is text in the comment: no tag, no mention, no link of its own. Entities, since
 * Markdown and HTML both know them; a pair of backticks is code.
 */
function plain(text: string): string {
  return text
    .replace(/[&<>`*[\]|]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/&#96;([^&]+)&#96;/g, "<code>$1</code>")
    .replaceAll("@", "@\u200b")
    .replaceAll("\n", " ");
}
