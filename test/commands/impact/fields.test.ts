import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { stackChanges } from "../../../commands/impact/changes.ts";
import type { Impact } from "../../../config/field.ts";
import { loadConfig } from "../../../config/load.ts";
import { schema } from "../../../config/schema.ts";
import { worst } from "../../../plan/effect.ts";
import { planFiles } from "../../../plan/files.ts";
import { fieldsOf } from "../../config/schema-fields.ts";
import { planOf, stackNames } from "../../stacks.ts";
import { changed, filesOf, filesOfStack, sectionsOf } from "./changed.ts";
import type { FieldChange } from "./field-change.ts";
import { changesOfFields } from "./field-changes.ts";

const labelOf = (type: unknown) =>
  ((type as z.ZodType).meta() as { impact?: Impact } | undefined)?.impact;
const fields = fieldsOf(schema).filter(({ type }) => labelOf(type) !== undefined);

it("every field is changed once, and nothing else is", () => {
  expect(Object.keys(changesOfFields).sort()).toEqual(fields.map(({ path }) => path).sort());
});

/** What is planned before a change. */
function filesBefore({ stack, before }: FieldChange): Map<string, string> {
  return before === undefined ? filesOfStack(stack) : filesOf(changed(sectionsOf(stack), before));
}

describe("a changed field, and what changes with it", () => {
  it.each(fields)("$path: its label is the worst of its documents'", ({ path, type }) => {
    const impact = labelOf(type);
    const change = changesOfFields[path];
    if (change === undefined) throw new Error(`no change of ${path}`);
    const sections = sectionsOf(change.stack);
    if (change.onlyValue) {
      expect(() => loadConfig(changed(sections, { [path]: "9.9.9" }), "test.yaml")).toThrow(path);
      return;
    }
    const before = filesBefore(change);
    const after = filesOf(changed(sections, { ...change.before, ...change.after }));
    const { changes, notes } = stackChanges(before, after);
    const found = changes.flatMap(({ effects }) => effects.map((effect) => effect.impact));
    expect({ path, label: worst(found), notes }).toEqual({ path, label: impact, notes: [] });
    // A field without a trace in the plan changes nothing that a reviewer could see.
    if (!change.unseen) expect(changes).not.toEqual([]);
    else expect(changes).toEqual([]);
  });
});

it.each(stackNames)("every document of %s has a label", (stack) => {
  const { gatewayApi, ...rest } = planOf(stack);
  const files = planFiles({ ...rest, gatewayApi: { ...gatewayApi, crds: [] } });
  const head = new Map([...files].map(([path, content]) => [path, altered(content)]));
  const { changes } = stackChanges(files, head);
  const machines = new Set(changes.flatMap((change) => change.machines));
  expect(machines.size).toBe(rest.nodes.length + rest.hypervisors.length);
  expect(changes.every(({ effects }) => effects.length > 0)).toBe(true);
});

/** A document in which every value but a machine's identity is another. */
function altered(content: string): string {
  return content.replace(/(?<!identity|CLUSTER|hypervisor)(: |=')(["']?)(?=[a-z0-9])/g, "$1$2x");
}
