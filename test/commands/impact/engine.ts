import { writeFileSync } from "node:fs";
import { vi } from "vitest";
import type { EnginePreview } from "../../../commands/impact/preview.ts";
import { project } from "../../../config/load.ts";
import { type Registered, runProgram } from "../../components/program.ts";
import { providerFor } from "../../lab/runner/providers/index.ts";
import { changedKeys } from "../../lab/runner/values.ts";

/** What the program registers for sections. */
export async function registered(
  sections: Record<string, unknown>,
  file: string,
): Promise<Registered[]> {
  const config = Object.fromEntries(
    Object.entries(sections).map(([key, value]) => [`${project}:${key}`, value]),
  );
  // JSON is YAML, with every text in quotes.
  writeFileSync(file, JSON.stringify({ config }));
  vi.resetModules();
  return (await runProgram(file)).resources;
}

/** What an engine would do from one to the other, by the rules of each resource's provider. */
export function previewOf(before: Registered[], after: Registered[]): EnginePreview {
  const old = new Map(before.map((resource) => [resource.urn, resource]));
  const urns = new Set(after.map(({ urn }) => urn));
  const step = (operation: string, { name, type }: Registered, inputs: string[] = []) => ({
    operation,
    name,
    type: type.split(":").at(-1) ?? type,
    inputs,
    replacedFor: [],
  });
  return {
    steps: [
      ...after.filter(isExecuted).flatMap((resource) => {
        const was = old.get(resource.urn);
        if (was === undefined) return [step("create", resource)];
        const changed = changedKeys(was.inputs, resource.inputs);
        if (changed.length === 0) return [];
        const replaces = providerFor(resource.type).replaces(changed, was.inputs, resource.inputs);
        return [step(replaces ? "replace" : "update", resource, changed)];
      }),
      ...before
        .filter(isExecuted)
        .filter(({ urn }) => !urns.has(urn))
        .map((resource) => step("delete", resource)),
    ],
  };
}

function isExecuted({ type }: Registered): boolean {
  return !type.startsWith("oslo-cluster:");
}
