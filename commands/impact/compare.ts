import { schema } from "../../config/schema.ts";
import { parsePath } from "../../plan/layout.ts";
import { stackChanges } from "./changes.ts";
import { editsOf } from "./edits.ts";
import { type Files, machineOf } from "./plan-parts.ts";
import { type EnginePreview, surprises } from "./read-preview.ts";
import { namesOf, type StackReport } from "./report.ts";
import { risksOf } from "./risks.ts";

/** A stack at one revision: its plan with the sections of its file, or why it has none, or that there is no such file. */
export type Revision =
  | { files: Files; sections: Record<string, unknown> }
  | { refused: string }
  | "absent";

/** Compares one stack's plans, and holds the engine's preview against what they say. Pure. */
export function compareStack(
  stack: string,
  base: Revision,
  head: Revision,
  preview?: EnginePreview,
): StackReport {
  const nothing = { stack, machines: [], edits: [], changes: [], risks: [], notes: [] };
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
    const machines = machinesOf(head.files);
    return {
      ...nothing,
      state: "new",
      risks: refused,
      machines,
      notes: [`made from nothing: ${namesOf(machines)}`],
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
  const machines = [...new Set([...machinesOf(base.files), ...machinesOf(head.files)])];
  return {
    stack,
    state: "changed",
    machines,
    edits: editsOf(...withDefaults(base.sections, head.sections)),
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

type Sections = Record<string, unknown>;

/** A field that was not written had its default; where that cannot be known, the files as they are. */
function withDefaults(...sections: [Sections, Sections]): [Sections, Sections] {
  const [base, head] = sections.map((one) => schema.safeParse(one));
  return base?.success && head?.success ? [base.data, head.data] : sections;
}

function machinesOf(files: Files): string[] {
  return [...new Set([...files.keys()].flatMap((path) => machineOf(parsePath(path)) ?? []))];
}
