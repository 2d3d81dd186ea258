import type { Effect } from "../../plan/effect.ts";
import {
  effectsOfStep,
  fileEffects,
  scriptEffects,
  scriptOfFile,
  settingsEffects,
  stepFileEffects,
} from "../../plan/effects.ts";
import { documentVars, type HypervisorScript } from "../../plan/libvirt/document.ts";
import { stepFilePaths, stepVars } from "../../plan/step.ts";

/** A rendered plan: path to content, as plan/files.ts has it. */
export type Files = ReadonlyMap<string, string>;

/** A machine as its facts have it. */
export interface Machine {
  kind: "node" | "hypervisor";
  name: string;
  facts: string;
}

/** A plan by machine and document. */
export interface Parts {
  machines: Map<string, Machine>;
  documents: Map<string, Document>;
}

export interface Document {
  machine?: string;
  what: string;
  content: string;
  effects: (before?: string, after?: string) => Effect[];
}

/** Every document on its own: of a step its settings, and each of its files. Step numbers do not count. */
export function partsOf(files: Files): Parts {
  const machines = new Map<string, Machine>();
  const documents = new Map<string, Document>();
  const steps = stepsOfFiles(files);
  for (const [path, content] of files) {
    const [, owner, name, own] = path.match(/^(nodes|hypervisors)\/([^/]+)\/(.+)$/) ?? [];
    const prober = path.match(/^cluster\/probe\/(.+)\.yaml$/)?.[1];
    if (prober !== undefined) {
      documents.set(path, {
        machine: prober,
        what: "probe: settings",
        content: settings(stepVars(content)),
        effects: (before, after) =>
          settingsEffects(effectsOfStep("probe"), settingsOf(before), settingsOf(after)),
      });
      continue;
    }
    if (owner === undefined || name === undefined || own === undefined) {
      documents.set(path, {
        what: path.replace(/^cluster\//, ""),
        content,
        effects: (before, after) => fileEffects(path, before, after),
      });
      continue;
    }
    const kind = owner === "nodes" ? "node" : "hypervisor";
    const isFacts = own === `${kind}.yaml`;
    const known = machines.get(name);
    machines.set(name, { kind, name, facts: isFacts ? content : (known?.facts ?? "") });
    documents.set(path.replace(/\/steps\/\d+-/, "/steps/"), {
      machine: name,
      ...documentOf(path, own, content, steps.get(path)),
    });
  }
  return { machines, documents };
}

function documentOf(
  path: string,
  own: string,
  content: string,
  owner: string | undefined,
): Omit<Document, "machine"> {
  const effects = (before?: string, after?: string) => fileEffects(path, before, after);
  const step = own.match(/^steps\/\d+-(.+)\.yaml$/)?.[1];
  if (step !== undefined) {
    // The vars alone: each file of the step is a document of its own.
    return {
      what: `${step}: settings`,
      content: settings(stepVars(content)),
      effects: (before, after) =>
        settingsEffects(effectsOfStep(step), settingsOf(before), settingsOf(after)),
    };
  }
  if (own.startsWith("files/")) {
    const file = own.slice("files".length);
    return {
      what: owner ? `${owner}: ${file}` : file,
      content,
      effects: (before, after) => {
        if (owner === undefined)
          throw new Error(`${path}: a file that no step of the plan puts in place`);
        return stepFileEffects(effectsOfStep(owner), file, before, after);
      },
    };
  }
  const script = own.match(/^(?:guest\/)?(\w+)\.env$/)?.[1];
  if (script !== undefined)
    return {
      what: `${script}: settings`,
      content: settings(documentVars(content)),
      effects: (before, after) =>
        settingsEffects(
          scriptEffects[script as HypervisorScript],
          settingsOf(before),
          settingsOf(after),
        ),
    };
  const file = own.replace(/^guest\//, "");
  const taker = scriptOfFile[file];
  if (taker !== undefined)
    return {
      what: `${taker}: ${file}`,
      content,
      effects: (before, after) => stepFileEffects(scriptEffects[taker], file, before, after),
    };
  return { what: file, content, effects };
}

/** The step that puts each file in place, by the file's path in the plan. */
function stepsOfFiles(files: Files): Map<string, string> {
  const steps = new Map<string, string>();
  for (const [path, content] of files) {
    const [, folder, step] = path.match(/^(nodes\/[^/]+)\/steps\/\d+-(.+)\.yaml$/) ?? [];
    for (const file of folder === undefined ? [] : stepFilePaths(content)) {
      steps.set(`${folder}/files${file}`, step as string);
    }
  }
  return steps;
}

function settings(vars: Record<string, string>): string {
  return Object.entries(vars)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("");
}

/** What `settings` has written. */
function settingsOf(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(
    [...text.matchAll(/^(\w+): (.*)$/gm)].map(([, key = "", value = ""]) => [key, value]),
  );
}
