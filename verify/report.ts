import type { Row } from "./run.ts";

const mark = { pass: "✓", fail: "✗", "not proved": "–" } as const;

/** The table that a person reads: promise, proof, reading, verdict. */
export function formatTable(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ verdict }) => verdict.length));
  const indent = " ".repeat(width + 4);
  const lines = rows.flatMap(({ promise, proof, reading, verdict }) => [
    `${mark[verdict]} ${verdict.padEnd(width)}  ${promise}`,
    `${indent}proof:   ${proof}`,
    `${indent}reading: ${reading.replaceAll("\n", `\n${indent}         `)}`,
  ]);
  return [...lines, "", summary(rows)].join("\n");
}

export function summary(rows: readonly Row[]): string {
  const count = (verdict: Row["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
  return `${rows.length} promises: ${count("pass")} passed, ${count("fail")} failed, ${count("not proved")} not proved`;
}

/** JUnit's XML, as CI servers read it; what is not proved counts as skipped. */
export function formatJunit(rows: readonly Row[], cluster: string): string {
  const of = (verdict: Row["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
  const seconds = Math.max(0, ...rows.map((row) => row.seconds));
  const cases = rows.map(({ promise, proof, reading, verdict, seconds }) => {
    const head = `    <testcase classname="${xml(cluster)}" name="${xml(promise)}" time="${seconds}"`;
    const message = `message="${xml(reading)}"`;
    const body = {
      pass: `      <system-out>${xml(`${proof}\n${reading}`)}</system-out>`,
      fail: `      <failure ${message}>${xml(proof)}</failure>`,
      "not proved": `      <skipped ${message}/>`,
    }[verdict];
    return `${head}>\n${body}\n    </testcase>`;
  });
  const counts = `tests="${rows.length}" failures="${of("fail")}" skipped="${of("not proved")}" errors="0" time="${seconds}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="verify" ${counts}>
${cases.join("\n")}
  </testsuite>
</testsuites>
`;
}

function xml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#10;",
  };
  return (
    text
      // Characters that no XML document may hold.
      .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, "?")
      .replaceAll(/[&<>"\n]/g, (character) => entities[character] ?? character)
  );
}
