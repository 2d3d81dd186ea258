import { expect, it } from "vitest";
import { formatJunit, formatTable } from "../../verify/report.ts";
import type { Row } from "../../verify/run.ts";

const rows: Row[] = [
  { promise: "No overlay", proof: "ip link", reading: "0 devices", verdict: "pass", seconds: 0.5 },
  { promise: "DSR", proof: "packets", reading: 'a <b> & "c"\nlost', verdict: "fail", seconds: 9 },
  { promise: "NIX", proof: "ping", reading: "no address", verdict: "not proved", seconds: 0 },
];

it("the table has promise, proof, reading and verdict, and a sum", () => {
  expect(formatTable(rows)).toBe(`✓ pass        No overlay
              proof:   ip link
              reading: 0 devices
✗ fail        DSR
              proof:   packets
              reading: a <b> & "c"
                       lost
– not proved  NIX
              proof:   ping
              reading: no address

3 promises: 1 passed, 1 failed, 1 not proved`);
});

it("JUnit's XML: what is not proved is skipped, never passed", () => {
  expect(formatJunit(rows, "oslo")).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" skipped="1" errors="0" time="9">
  <testsuite name="verify" tests="3" failures="1" skipped="1" errors="0" time="9">
    <testcase classname="oslo" name="No overlay" time="0.5">
      <system-out>ip link&#10;0 devices</system-out>
    </testcase>
    <testcase classname="oslo" name="DSR" time="9">
      <failure message="a &lt;b&gt; &amp; &quot;c&quot;&#10;lost">packets</failure>
    </testcase>
    <testcase classname="oslo" name="NIX" time="0">
      <skipped message="no address"/>
    </testcase>
  </testsuite>
</testsuites>
`);
});

it("JUnit's XML holds no character that XML may not", () => {
  const [row] = rows as [Row];
  const xml = formatJunit([{ ...row, reading: "a\u0000b\u001b[31mc\ud800d😀" }], "oslo");
  expect(xml).toContain("a?b?[31mc?d");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u001b]/);
});
