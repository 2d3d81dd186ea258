import { fixOf } from "./report.ts";
import type { Row } from "./run.ts";

/** JUnit's XML, as CI servers read it; what is not proved or not enabled counts as skipped. */
export function formatJunit(rows: readonly Row[], cluster: string): string {
  const of = (...verdicts: Row["verdict"][]) =>
    rows.filter((row) => verdicts.includes(row.verdict)).length;
  const seconds = Math.max(0, ...rows.map((row) => row.seconds));
  const cases = rows.map((row) => {
    const { promise, proof, reading, verdict, seconds } = row;
    const head = `    <testcase classname="${xml(cluster)}" name="${xml(promise)}" time="${seconds}"`;
    const skipped = `      <skipped message="${xml(verdict === "not enabled" ? `not enabled: ${reading}` : reading)}"/>`;
    const body = {
      pass: `      <system-out>${xml(`${proof}\n${reading}`)}</system-out>`,
      fail: `      <failure message="${xml(reading)}">${xml(`${proof}\nwhat to do: ${fixOf(row)}`)}</failure>`,
      "not proved": skipped,
      "not enabled": skipped,
    }[verdict];
    return `${head}>\n${body}\n    </testcase>`;
  });
  const counts = `tests="${rows.length}" failures="${of("fail")}" skipped="${of("not proved", "not enabled")}" errors="0" time="${seconds}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="verify" ${counts}>
${cases.join("\n")}
  </testsuite>
</testsuites>
`;
}

/** Text as XML holds it. */
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
