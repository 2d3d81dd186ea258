import { expect, it } from "vitest";
import { reasonOf } from "../../verify/cluster.ts";
import { formatJunit } from "../../verify/junit.ts";
import { promises } from "../../verify/promises.ts";
import { formatTable } from "../../verify/report.ts";
import type { Row } from "../../verify/run.ts";

const row = (promise: string, verdict: Row["verdict"], reading: string, more = {}): Row => ({
  ...{ promise, proof: `proof of ${promise}`, fix: `repair ${promise}`, answered: true },
  ...{ reading, verdict, seconds: 1, ...more },
});
const rows: Row[] = [
  row("No overlay", "pass", "0 devices"),
  row("DSR", "fail", 'a <b> & "c"\nlost'),
  row("NIX", "not proved", "no client"),
  row("BGP", "not enabled", "cilium.bgpControlPlane.enabled is false"),
];

it("a line for each promise, then each fault once with what to do, and a sum", () => {
  expect(formatTable(rows)).toBe(`✓ No overlay
✗ DSR
– NIX
○ BGP: cilium.bgpControlPlane.enabled is false

1 not proved:
  – no client
      NIX

1 fault:
  ✗ a <b> & "c"
    lost
      DSR
      what to do: repair DSR

4 promises: 1 passed, 1 failed, 1 not proved, 1 not enabled`);
});

it("--all: how each was proven, and what was read", () => {
  expect(formatTable(rows, { all: true })).toContain(`✓ pass  No overlay
    proof:   proof of No overlay
    reading: 0 devices`);
});

it("one fault that many promises met is printed once", () => {
  const dead = Array.from({ length: 25 }, (_, i) =>
    row(`promise ${i}`, "fail", i < 20 ? "cp-1: timed out" : `no answer within ${i} s`, {
      answered: false,
    }),
  );
  const text = formatTable(dead);
  expect(text.match(/cp-1: timed out/g)).toHaveLength(1);
  expect(text).toContain("20 promises: promise 0; promise 1; promise 2; and 17 more");
  expect(text).toContain("\n2 faults:\n");
  expect(text.match(/what to do: see that the machine/g)).toHaveLength(2);
});

it("has at most 40 lines when all is well, also with more promises", () => {
  for (const many of [promises, [...promises, ...promises]]) {
    const well = many.map(({ promise }) => row(promise, "pass", "12 of 12"));
    const lines = formatTable(well).split("\n");
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines.at(-1)).toContain(`${many.length} passed`);
  }
});

it("JUnit's XML: what is not proved or not enabled is skipped, never passed", () => {
  expect(formatJunit(rows, "oslo")).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" skipped="2" errors="0" time="1">
  <testsuite name="verify" tests="4" failures="1" skipped="2" errors="0" time="1">
    <testcase classname="oslo" name="No overlay" time="1">
      <system-out>proof of No overlay&#10;0 devices</system-out>
    </testcase>
    <testcase classname="oslo" name="DSR" time="1">
      <failure message="a &lt;b&gt; &amp; &quot;c&quot;&#10;lost">proof of DSR&#10;what to do: repair DSR</failure>
    </testcase>
    <testcase classname="oslo" name="NIX" time="1">
      <skipped message="no client"/>
    </testcase>
    <testcase classname="oslo" name="BGP" time="1">
      <skipped message="not enabled: cilium.bgpControlPlane.enabled is false"/>
    </testcase>
  </testsuite>
</testsuites>
`);
});

it("JUnit's XML holds no character that XML may not", () => {
  const [first] = rows as [Row];
  const xml = formatJunit([{ ...first, reading: "a\u0000b\u001b[31mc\ud800d😀" }], "oslo");
  expect(xml).toContain("a?b?[31mc?d");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u001b]/);
});

it("every promise says what to do where it fails", () => {
  for (const { fix } of promises) expect(fix).toMatch(/^\S.{10,200}[^.]$/);
});

it("kubectl's own log does not make one fault many", () => {
  const said = (time: string) =>
    new Error(
      `E1126 ${time} 28545 memcache.go:265] "Unhandled Error" err="refused"\nThe connection was refused\n`,
    );
  expect(["22:12:20.333889", "22:12:21.206759"].map(said).map(reasonOf)).toEqual([
    "The connection was refused",
    "The connection was refused",
  ]);
  const only = "W0101 00:00:00.000001 1 x.go:1] y";
  expect(reasonOf(new Error(only))).toBe(only);
});

it("what a target, a node or a pod says rewrites no line of the terminal", () => {
  const said = "target vault: \u001b[2J✓ all is well\r\u009b1A";
  const text = formatTable([
    row("Backup", "fail", said),
    row("Off", "not enabled", said),
    row("Sure", "pass", said),
  ]);
  const full = formatTable([row("Sure", "pass", said)], { all: true });
  for (const shown of [text, full]) {
    for (const raw of ["\u001b[2J", "\r", "\u009b"]) expect(shown).not.toContain(raw);
    expect(shown).toContain("target vault: \\u{1b}[2J✓ all is well\\r\\u{9b}1A");
  }
});
