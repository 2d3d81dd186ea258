import { writeFileSync } from "node:fs";
import type { EnginePreview } from "../../../commands/impact/read-preview.ts";
import { project } from "../../../config/load.ts";
import { type Registered, runProgram } from "../../components/program.ts";
import { commandProvider } from "../../lab/plugins/command/provider.ts";
import { kubernetesProvider } from "../../lab/plugins/kubernetes/provider.ts";
import type { Change } from "../../lab/plugins/protocol/provider.ts";

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
        const changes = changesOf(was, resource);
        if (changes.length === 0) return [];
        const tops = new Set(changes.map(({ path }) => path.split(/[.[]/)[0] as string));
        // Of triggers, the SDK asks the engine to replace for each of them.
        const replaces = tops.has("triggers") || changes.some((change) => change.replaces);
        return [step(replaces ? "replace" : "update", resource, [...tops])];
      }),
      ...before
        .filter(isExecuted)
        .filter(({ urn }) => !urns.has(urn))
        .map((resource) => step("delete", resource)),
    ],
  };
}

function changesOf({ type, inputs: old }: Registered, { inputs }: Registered): Change[] {
  if (type.startsWith("pulumi:providers:")) return kubernetesProvider.diffConfig(old, inputs);
  const provider = type.startsWith("command:") ? commandProvider : kubernetesProvider;
  return provider.resource(type).diff(old, inputs);
}

function isExecuted({ type }: Registered): boolean {
  return !type.startsWith("oslo-cluster:");
}
