import type { Files } from "./parts.ts";
import { type EnginePreview, surprises } from "./preview.ts";
import type { StackReport } from "./report.ts";
import { risksOf } from "./risks.ts";
import { stackChanges } from "./stack.ts";

/** A stack at one revision: its plan, or why it has none, or that there is no such file. */
export type Revision = { files: Files } | { refused: string } | "absent";

/** Compares one stack's plans, and holds the engine's preview against what they say. Pure. */
export function compareStack(
  stack: string,
  base: Revision,
  head: Revision,
  preview?: EnginePreview,
): StackReport {
  const nothing = { stack, changes: [], risks: [], notes: [] };
  const withPreview = preview ? { preview } : {};
  const refused = (preview?.refused ?? []).map((what) => `the policy pack refuses ${what}`);
  if (head === "absent") {
    const risk = `its machines stay as they are: run \`pulumi destroy --stack ${stack}\` from the base before this is merged, or keep the file`;
    return { ...nothing, state: "gone", risks: [risk] };
  }
  if ("refused" in head) {
    return { ...nothing, state: "refused", notes: head.refused.split("\n") };
  }
  if (base === "absent") {
    // Nothing is replaced that exists; secrets are looked for all the same.
    stackChanges(head.files, head.files);
    const machines = namesOf(head.files);
    return {
      ...nothing,
      state: "new",
      risks: refused,
      notes: [`made from nothing: ${machines.join(", ")}`],
      ...withPreview,
    };
  }
  if ("refused" in base) {
    stackChanges(head.files, head.files);
    return {
      ...nothing,
      state: "changed",
      risks: ["the base has no valid plan of this stack: what changes is not known"],
      notes: base.refused.split("\n"),
      ...withPreview,
    };
  }
  const { changes, notes } = stackChanges(base.files, head.files);
  const machines = [...new Set([...namesOf(base.files), ...namesOf(head.files)])];
  return {
    stack,
    state: "changed",
    changes,
    notes,
    risks: [
      ...risksOf(base.files, head.files),
      ...refused,
      ...(preview && preview.missing === undefined ? surprises(preview, changes, machines) : []),
    ],
    ...withPreview,
  };
}

function namesOf(files: Files): string[] {
  const names = [...files.keys()].flatMap(
    (path) => path.match(/^(?:nodes|hypervisors)\/([^/]+)\//)?.[1] ?? [],
  );
  return [...new Set(names)];
}
