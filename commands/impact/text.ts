import { styleText } from "node:util";
import type { Change } from "./changes.ts";
import { cut } from "./diff.ts";
import type { Comparison } from "./markdown.ts";
import { headline, labelOf, places, type StackReport } from "./report.ts";
import { layOut, mostLines, operationsOf } from "./screen-lines.ts";

const whole = "--full shows all";

/** For a terminal: at most 60 lines for each stack. @param full Every line. */
export function renderText({ reports, violations }: Comparison, { full = false } = {}): string {
  return [
    ...reports.map((report) => renderStack(report, full ? Infinity : mostLines)),
    ...(violations.length > 0 ? [`refused by --fail-on: ${violations.join("; ")}`] : []),
  ].join("\n");
}

function renderStack(report: StackReport, lines: number): string {
  const { stack, edits, risks, notes, pictures = [], preview } = report;
  const head = [
    styleText("bold", `${stack}: ${headline(report)}`),
    ...edits.map((edit) => `  edited: ${edit}`),
    ...risks.map((risk) => styleText("red", `  risk: ${risk}`)),
    ...(pictures.length > 0 ? [`  the stack's picture changed: ${pictures.join(", ")}`] : []),
  ];
  const engine =
    preview === undefined
      ? []
      : preview.missing === undefined
        ? [
            `  Pulumi's engine:${preview.steps.length === 0 ? " no operation" : ""}`,
            ...cut(operationsOf(report), lines === Infinity ? lines : 12, whole).map(
              (line) => `    ${line}`,
            ),
          ]
        : [`  no preview of Pulumi's engine: ${preview.missing}`];
  const tail = [...notes.map((note) => `  note: ${note}`), ...engine];
  const around = ({ effects }: Change) => effects.length + 2;
  const room = lines - head.length - tail.length - (tail.length > 0 ? 1 : 0) - 1;
  const { shown, unread, left } = layOut(report, room, around, whole);
  return [
    ...head,
    ...shown.flatMap(({ change, diff }) => ["", ...changeLines(change, diff)]),
    ...[...left, ...unread].flatMap((line) => ["", `  ${line}`]),
    ...(tail.length > 0 ? ["", ...tail] : []),
    "",
  ].join("\n");
}

const colours = {
  impossible: "red",
  recreate: "red",
  drain: "magenta",
  restart: "yellow",
  live: "green",
  none: "dim",
} as const;

function changeLines(change: Change, diff: readonly string[]): string[] {
  const label = labelOf(change);
  return [
    `  ${styleText(colours[label], label)}  ${change.what}  on ${places([change])}`,
    ...change.effects.map(({ impact, says }) => `    ${impact}: ${says}`),
    ...diff.map((line) => `      ${coloured(line)}`.trimEnd()),
  ];
}

function coloured(line: string): string {
  if (line.startsWith("+")) return styleText("green", line);
  return line.startsWith("-") ? styleText("red", line) : line;
}
