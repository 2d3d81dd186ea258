import { structuredPatch } from "diff";
import { leaks } from "../../plan/secrets.ts";
import type { Change } from "./changes.ts";
import { namesOf } from "./report.ts";

/** The same lines, changed on these machines. */
interface Hunk {
  machines: string[];
  lines: string[];
}

/**
 * The differences of a change's documents as lines for reading: what is the same on many machines
 * once, under their names; a long line word by word.
 * @throws Error where it holds what looks like a secret.
 */
export function diffLines(change: Change): string[] {
  const hunks = hunksOf(change);
  const everywhere = hunks.every(({ machines }) => machines.length === change.machines.length);
  const lines = hunks.flatMap(({ machines, lines }, i) => [
    ...(everywhere ? (i > 0 ? ["@@"] : []) : [`@@ ${namesOf(machines)} @@`]),
    ...lines,
  ]);
  assertShown(change.what, lines.join("\n"));
  return lines;
}

/** So many of some lines; a cut is said, with how the rest is seen. */
export function cut(lines: readonly string[], limit: number, where: string): string[] {
  const rest = lines.length - limit;
  if (rest <= 0) return [...lines];
  const kept = lines.slice(0, Math.max(0, limit - 1));
  return [...kept, `… ${lines.length - kept.length} more lines: ${where}`];
}

function hunksOf({ what, contents }: Change): Hunk[] {
  const known = new Map<string, Hunk>();
  for (const { machines, before = "", after = "" } of contents) {
    const { hunks } = structuredPatch(what, what, wrapped(before), wrapped(after), "", "", {
      context: 2,
    });
    for (const { lines } of hunks) {
      const shown = lines.filter((line) => !line.startsWith("\\"));
      // What is around it may differ from machine to machine.
      const key = shown.filter((line) => !line.startsWith(" ")).join("\n");
      const hunk = known.get(key) ?? { machines: [], lines: shown };
      known.set(key, hunk);
      hunk.machines.push(...machines.filter((name) => !hunk.machines.includes(name)));
    }
  }
  return [...known.values()];
}

function wrapped(text: string): string {
  return text
    .split("\n")
    .map((line) => (line.length > 120 ? line.replace(/(?<=\S) +(?=\S)/g, "\n    ") : line))
    .join("\n");
}

/** The last look at what people will read. */
export function assertShown(what: string, text: string): void {
  const [secret] = leaks([text]);
  if (secret === undefined) return;
  const error = new Error(
    `${what}: holds what looks like ${secret}; nothing is shown. Take it out of the stack's file`,
  );
  throw Object.assign(error, { code: "SECRET" });
}
