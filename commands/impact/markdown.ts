import type { Impact } from "../../config/field.ts";
import { worst } from "../../plan/effect.ts";
import type { Change } from "./changes.ts";
import { assertShown, cut } from "./diff.ts";
import { count, headline, labelOf, labels, places, type StackReport } from "./report.ts";
import { layOut, mostLines, operationsOf } from "./screen-lines.ts";

/** The comment's first line, by which the next run finds the comment that it edits. */
export const marker = "<!-- oslo-cluster impact -->";

/** What GitHub takes is 65,536 characters. */
const longest = 60_000;

export interface Comparison {
  /** The revision that is compared with, as it was given. */
  base: string;
  reports: StackReport[];
  /** What breaks the policy; empty where nothing does. */
  violations: string[];
  /** Where the whole comparison is found: an address. */
  details?: string;
}

/** The worst label of a comparison: what the pull request is labelled with. */
export function worstLabel({ reports }: Comparison): Impact {
  return worst(reports.flatMap(({ changes }) => changes.map(labelOf)));
}

/**
 * The comment of a pull request. Pure; the same comparison gives the same bytes.
 * @throws Error where it would hold what looks like a secret.
 */
export function renderMarkdown(comparison: Comparison): string {
  // Differences give way first, and never a headline or a risk.
  for (const lines of [mostLines, mostLines / 2, 0]) {
    const text = render(comparison, lines);
    if (text.length > longest && lines > 0) continue;
    assertShown("the comment", text);
    return text.length > longest
      ? `${text.slice(0, longest)}\n\n… cut here: ${wholeOf(comparison)}\n`
      : text;
  }
  throw new Error("unreachable");
}

function wholeOf({ details }: Comparison): string {
  return details === undefined ? "see oslo-cluster impact --full" : details;
}

function render(comparison: Comparison, lines: number): string {
  const { base, reports, violations, details } = comparison;
  const whole = details === undefined ? "" : ` [The whole comparison](${details}).`;
  const blocks = [
    `${marker}\n<!-- label: ${worstLabel(comparison)} -->`,
    "## What this changes on living clusters",
    ...reports.map((report) => renderStack(report, lines, wholeOf(comparison))),
    ...(violations.length > 0
      ? [
          `**This needs a decision**: ${violations.join("; ")}. Where it is meant, a maintainer approves this very commit in a review; what is impossible must be put back.`,
        ]
      : []),
    `<sub>Plans of this revision compared with \`${base}\`.${whole} Labels: ${[...labels].reverse().join(" < ")}; the page for reviewers says what each means.</sub>`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

function renderStack(report: StackReport, lines: number, whole: string): string {
  const { stack, edits, risks, notes, changes, pictures = [], preview } = report;
  // What destroys something is not in a fold.
  const lost = changes.filter((change) => ["impossible", "recreate"].includes(labelOf(change)));
  const points = [
    ...edits.map((edit) => `edited: ${code(edit)}`),
    ...risks.map((risk) => `⚠️ ${plain(risk)}`),
    ...lost.map(
      (change) =>
        `**${labelOf(change)}**: ${code(change.what)} on ${plain(places([change]))}: ${change.effects.map(({ says }) => plain(says)).join("; ")}`,
    ),
    ...(pictures.length > 0
      ? [
          `the stack's picture changed: ${pictures.map(code).join(", ")} beside the whole comparison`,
        ]
      : []),
  ];
  const engine = preview ? renderPreview(report, whole) : [];
  // The comment's own lines, and those of this stack beside its changes.
  const fixed = 10 + points.length + notes.length + engine.join("\n").split("\n").length;
  const { shown, unread, left } = layOut(report, lines - fixed, () => 6, whole);
  return [
    `### ${stack}: ${plain(headline(report))}`,
    ...(points.length > 0 ? [list(points)] : []),
    ...shown.map(({ change, diff }) => renderChange(change, diff)),
    ...[...left, ...unread].map((line) => plain(line)),
    ...(notes.length > 0 ? [list(notes.map(plain))] : []),
    ...engine,
  ].join("\n\n");
}

function renderChange(change: Change, diff: readonly string[]): string {
  const { what, effects } = change;
  const says = effects.map(({ impact, says }) => `<b>${impact}</b>: ${plain(says)}`).join("<br>");
  const text = diff.join("\n");
  const fence = "`".repeat(
    Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)),
  );
  return [
    `<details><summary><b>${labelOf(change)}</b> <code>${plain(what)}</code> on ${plain(places([change]))}</summary><p>${says}</p>`,
    `\n${fence}diff\n${text}\n${fence}`,
    "</details>",
  ].join("\n");
}

function renderPreview(report: StackReport, whole: string): string[] {
  const { missing, steps } = report.preview ?? { steps: [] };
  if (missing !== undefined) return [`No preview of Pulumi's engine: ${plain(missing)}`];
  if (steps.length === 0) return ["Pulumi's engine would change nothing."];
  return [
    [
      `<details><summary>Pulumi's engine: ${count(steps.length, "operation")}</summary>`,
      `\n\`\`\`\n${cut(operationsOf(report), 12, whole).join("\n")}\n\`\`\``,
      "</details>",
    ].join("\n"),
  ];
}

function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function code(text: string): string {
  return `<code>${plain(text)}</code>`;
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
