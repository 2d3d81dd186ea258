import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { loadConfig, project } from "../../../config/load.ts";
import { planFiles } from "../../../plan/files.ts";
import { plan } from "../../../plan/plan.ts";
import { stackFiles } from "../../stacks.ts";

const read = new Map<string, Record<string, unknown>>();

/** The sections of one of the tests' stacks, for changes. */
export function sectionsOf(stack: keyof typeof stackFiles): Record<string, unknown> {
  const sections = read.get(stack) ?? readSections(stackFiles[stack]);
  read.set(stack, sections);
  return structuredClone(sections);
}

function readSections(file: string): Record<string, unknown> {
  const { config } = parse(readFileSync(file, "utf8"), { version: "1.1" });
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.slice(project.length + 1), value]),
  );
}

/** What is planned for sections. */
export function filesOf(sections: Record<string, unknown>) {
  const { gatewayApi, ...rest } = plan(loadConfig(sections, "test.yaml"));
  // One CRD does for all: they are long.
  return planFiles({ ...rest, gatewayApi: { ...gatewayApi, crds: gatewayApi.crds.slice(0, 1) } });
}

const planned = new Map<string, ReturnType<typeof filesOf>>();

/** What is planned for one of the tests' stacks as it is. */
export function filesOfStack(stack: keyof typeof stackFiles) {
  const files = planned.get(stack) ?? filesOf(sectionsOf(stack));
  planned.set(stack, files);
  return files;
}

/** The sections with other values at some paths; undefined removes. */
export function changed(sections: Record<string, unknown>, changes: Record<string, unknown>) {
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
