import { styleText } from "node:util";
import { printableLines } from "../config/problem.ts";
import { lateReading, type Row } from "./run.ts";

const mark = { pass: "✓", fail: "✗", "not proved": "–", "not enabled": "○" } as const;
const colour = {
  pass: "green",
  fail: "red",
  "not proved": "yellow",
  "not enabled": "dim",
} as const;

/** A screen of lines: of more promises that passed, the rest is counted. */
const mostPassed = 36;

/**
 * What a person reads: a line for each promise, then each fault once with what to do.
 * @param all With how each was proven and what was read.
 */
export function formatTable(rows: readonly Row[], { all = false } = {}): string {
  const of = (verdict: Row["verdict"]) => rows.filter((row) => row.verdict === verdict);
  const passed = of("pass");
  const shown = all ? rows : rows.filter((row) => passed.indexOf(row) < mostPassed);
  const hidden = rows.length - shown.length;
  return [
    ...shown.flatMap((row) => (all ? inFull(row) : [line(row)])),
    ...(hidden > 0 ? [`  and ${hidden} more passed (--all shows them)`] : []),
    ...section("not proved", of("not proved")),
    ...formatFaults(rows),
    "",
    summary(rows),
  ].join("\n");
}

/** Each fault once, with what to do; nothing where there is none. */
export function formatFaults(rows: readonly Row[]): string[] {
  return section(
    "fault",
    rows.filter(({ verdict }) => verdict === "fail"),
  );
}

function line({ verdict, promise, reading }: Row): string {
  const why = verdict === "not enabled" ? `: ${printableLines(reading)}` : "";
  return styleText(colour[verdict], `${mark[verdict]} ${promise}${why}`);
}

function inFull(row: Row): string[] {
  const { verdict, promise, proof, reading } = row;
  return [
    styleText(colour[verdict], `${mark[verdict]} ${verdict}  ${promise}`),
    `    proof:   ${proof}`,
    `    reading: ${printableLines(reading).replaceAll("\n", "\n             ")}`,
  ];
}

/** What one cause does, once, whatever the number of promises that met it. */
interface Fault {
  reading: string;
  rows: Row[];
}

function section(what: string, rows: readonly Row[]): string[] {
  const faults = faultsOf(rows);
  if (faults.length === 0) return [];
  const title = what === "fault" && faults.length > 1 ? `${what}s` : what;
  return ["", `${faults.length} ${title}:`, ...faults.flatMap(formatFault)];
}

function faultsOf(rows: readonly Row[]): Fault[] {
  const faults = new Map<string, Fault>();
  for (const row of rows) {
    // Limits differ by proof, and are not what is wrong.
    const reading = row.answered
      ? row.reading
      : row.reading.replace(lateReading, "no answer in time");
    const fault = faults.get(reading) ?? { reading, rows: [] };
    faults.set(reading, fault);
    fault.rows.push(row);
  }
  return [...faults.values()];
}

function formatFault({ reading, rows }: Fault): string[] {
  const [first] = rows as [Row, ...Row[]];
  const { verdict } = first;
  const indent = (text: string) => text.replaceAll("\n", "\n    ");
  const head = styleText(colour[verdict], `  ${mark[verdict]} ${indent(printableLines(reading))}`);
  const named = rows.slice(0, 3).map(({ promise }) => promise);
  const more = rows.length - named.length;
  const promises = rows.length === 1 ? named : [`${rows.length} promises: ${named.join("; ")}`];
  const fixes = new Set(rows.slice(0, 3).map(fixOf));
  return [
    head,
    `      ${promises.join("")}${more > 0 ? `; and ${more} more` : ""}`,
    ...(verdict === "fail" ? [...fixes].map((fix) => `      what to do: ${fix}`) : []),
  ];
}

/** What to do where a row failed. */
export function fixOf({ answered, fix }: Row): string {
  return answered
    ? fix
    : "see that the machine and the API server answer: oslo-cluster drift asks each machine by itself";
}

export function summary(rows: readonly Row[]): string {
  const count = (verdict: Row["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
  return `${rows.length} promises: ${count("pass")} passed, ${count("fail")} failed, ${count("not proved")} not proved, ${count("not enabled")} not enabled`;
}
