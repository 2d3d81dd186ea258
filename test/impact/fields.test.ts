import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { z } from "zod";
import type { Impact } from "../../config/field.ts";
import { loadConfig, project } from "../../config/load.ts";
import { schema } from "../../config/schema.ts";
import { stackChanges } from "../../impact/stack.ts";
import { worst } from "../../plan/effect.ts";
import { planFiles } from "../../plan/files.ts";
import { plan } from "../../plan/plan.ts";
import { fieldsOf } from "../config/schema-fields.ts";
import { planOf, stackFiles, stackNames } from "../stacks.ts";
import { changesOfFields } from "./field-changes.ts";

const labelOf = (type: unknown) =>
  ((type as z.ZodType).meta() as { impact?: Impact } | undefined)?.impact;
const fields = fieldsOf(schema).filter(({ type }) => labelOf(type) !== undefined);

it("every field is changed once, and nothing else is", () => {
  expect(Object.keys(changesOfFields).sort()).toEqual(fields.map(({ path }) => path).sort());
});

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
    const before = filesOf(changed(sections, change.before ?? {}));
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

function sectionsOf(stack: keyof typeof stackFiles): Record<string, unknown> {
  const { config } = parse(readFileSync(stackFiles[stack], "utf8"), { version: "1.1" });
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.slice(project.length + 1), value]),
  );
}

function filesOf(sections: Record<string, unknown>) {
  const { gatewayApi, ...rest } = plan(loadConfig(sections, "test.yaml"));
  // One CRD does for all: they are long.
  return planFiles({ ...rest, gatewayApi: { ...gatewayApi, crds: gatewayApi.crds.slice(0, 1) } });
}

/** The sections with other values at some paths; undefined removes. */
function changed(sections: Record<string, unknown>, changes: Record<string, unknown>) {
  const root = structuredClone(sections);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(/[.[\]]+/).filter(Boolean);
    const last = keys.pop() as string;
    let at = root;
    for (const key of keys) {
      at[key] ??= {};
      at = at[key] as Record<string, unknown>;
    }
    if (value === undefined && Array.isArray(at)) at.splice(Number(last), 1);
    else if (value === undefined) delete at[last];
    else at[last] = structuredClone(value);
  }
  return root;
}
