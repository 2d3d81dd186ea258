import { unified } from "./diff.ts";
import type { Comparison } from "./markdown.ts";
import { count, headline, labelOf, places, type StackReport } from "./report.ts";

/** The same for a terminal. */
export function renderText({ reports, violations }: Comparison): string {
  return [
    ...reports.map(renderStack),
    ...(violations.length > 0 ? [`refused by --fail-on: ${violations.join("; ")}`] : []),
  ].join("\n");
}

function renderStack(report: StackReport): string {
  const { stack, risks, notes, changes, preview } = report;
  return [
    `${stack}: ${headline(report)}`,
    ...risks.map((risk) => `  risk: ${risk}`),
    ...changes.flatMap((change) => [
      "",
      `  ${labelOf(change)}  ${change.what}  on ${places([change])}`,
      ...change.effects.map(({ impact, says }) => `    ${impact}: ${says}`),
      ...unified(change, 200)
        .split("\n")
        .map((line) => `      ${line}`.trimEnd()),
    ]),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `  note: ${note}`)] : []),
    ...(preview === undefined
      ? []
      : preview.missing === undefined
        ? [
            "",
            `  Pulumi's engine: ${count(preview.steps.length, "operation")}`,
            ...preview.steps.map(
              ({ operation, type, name, inputs }) =>
                `    ${operation}  ${type} ${name}${inputs.length > 0 ? ` (${inputs.join(", ")})` : ""}`,
            ),
          ]
        : ["", `  no preview of Pulumi's engine: ${preview.missing}`]),
    "",
  ].join("\n");
}
