import { type Effect, resolveEffects } from "../../plan/effect.ts";
import {
  effectsOfScript,
  effectsOfStep,
  placeEffects,
  scriptOfFile,
  settingsEffects,
  stepFileEffects,
} from "../../plan/effects.ts";
import { type MachineKind, type Place, parsePath, pathOf } from "../../plan/layout.ts";
import { documentVars } from "../../plan/libvirt/document.ts";
import { stepFilePaths, stepVars } from "../../plan/step.ts";

/** A rendered plan: path to content, as plan/files.ts has it. */
export type Files = ReadonlyMap<string, string>;

/** A machine as its facts have it. */
export interface Machine {
  kind: MachineKind;
  name: string;
  facts: string;
}

/** A plan by machine and document. */
export interface Parts {
  machines: Map<string, Machine>;
  /** By path, in which a step's number does not count. */
  documents: Map<string, Document>;
}

/** A document as it is rendered. There are many; what one is is asked for those that differ. */
export interface Document {
  path: string;
  place: Place | undefined;
  rendered: string;
}

/** What a document is to a reviewer. */
export interface Subject {
  what: string;
  /** What of the document is its own: of a step its settings, since each of its files is a document. */
  content: (rendered: string) => string;
  effects: (before?: string, after?: string) => Effect[];
}

export function partsOf(files: Files): Parts {
  const machines = new Map<string, Machine>();
  const documents = new Map<string, Document>();
  for (const [path, rendered] of files) {
    const place = parsePath(path);
    documents.set(keyOf(path, place), { path, place, rendered });
    const name = machineOf(place);
    if (name === undefined || place === undefined || place.kind === "probe") continue;
    const kind = "machine" in place ? place.machine : "node";
    // A guest's documents are its hypervisor's, and its own facts say that it is a node.
    if (place.kind === "facts") machines.set(name, { kind, name, facts: rendered });
    else if (!machines.has(name)) machines.set(name, { kind, name, facts: "" });
  }
  return { machines, documents };
}

function keyOf(path: string, place: Place | undefined): string {
  return place?.kind === "step" ? pathOf({ ...place, number: 0 }) : path;
}

/** The machine that a document is for; none for what belongs to the cluster as a whole. */
export function machineOf(place: Place | undefined): string | undefined {
  switch (place?.kind) {
    case "probe":
      return place.node;
    case "facts":
    case "step":
    case "file":
    case "script":
      return place.name;
    default:
      return undefined;
  }
}

/** @throws Error for a document that no part of the plan makes. */
export function subjectOf({ path, place }: Document, parts: readonly Parts[]): Subject {
  switch (place?.kind) {
    case "probe":
      return settingsOfStep("probe");
    case "step":
      return settingsOfStep(place.step);
    case "file": {
      const step = stepOfFile(place, parts);
      if (step === undefined)
        throw new Error(`${path}: a file that no step of the plan puts in place`);
      return whole(`${step}: ${place.path}`, (before, after) =>
        stepFileEffects(effectsOfStep(step), place.path, before, after),
      );
    }
    case "script":
      return subjectOfScript(path, place.file);
    default: {
      const what = place?.kind === "facts" ? `${place.machine}.yaml` : path.replace("cluster/", "");
      return whole(what, (before, after) =>
        resolveEffects(placeEffects(path, place), before, after),
      );
    }
  }
}

function subjectOfScript(path: string, file: string): Subject {
  if (file.endsWith(".env")) {
    const script = file.slice(0, -".env".length);
    const effects = effectsOfScript(script);
    if (effects === undefined) throw new Error(`${path}: of no script of a hypervisor`);
    return settingsSubject(`${script}: settings`, documentVars, effects);
  }
  const script = scriptOfFile(file);
  const effects = script === undefined ? undefined : effectsOfScript(script);
  if (effects === undefined)
    throw new Error(
      `${path}: a document without a label; name it in its step of plan/libvirt/steps`,
    );
  return whole(`${script}: ${file}`, (before, after) =>
    stepFileEffects(effects, file, before, after),
  );
}

function settingsOfStep(step: string): Subject {
  return settingsSubject(`${step}: settings`, stepVars, effectsOfStep(step));
}

function settingsSubject(
  what: string,
  read: (rendered: string) => Record<string, string>,
  table: Parameters<typeof settingsEffects>[0],
): Subject {
  const optional = (rendered?: string) => (rendered === undefined ? undefined : read(rendered));
  return {
    what,
    content: (rendered) =>
      Object.entries(read(rendered))
        .map(([key, value]) => `${key}: ${value}\n`)
        .join(""),
    effects: (before, after) => settingsEffects(table, optional(before), optional(after)),
  };
}

function whole(what: string, effects: Subject["effects"]): Subject {
  return { what, content: (rendered) => rendered, effects };
}

/** The step that puts a file in place, in the first of the plans that has one. */
function stepOfFile(
  file: Extract<Place, { kind: "file" }>,
  parts: readonly Parts[],
): string | undefined {
  for (const { documents } of parts) {
    for (const { place, rendered } of stepsOf(documents).get(file.name) ?? []) {
      if (stepFilePaths(rendered).includes(file.path)) return place.step;
    }
  }
  return undefined;
}

type StepDocuments = (Document & { place: Extract<Place, { kind: "step" }> })[];

/** The documents of each node's steps, gathered once for each plan. */
function stepsOf(documents: Parts["documents"]): Map<string, StepDocuments> {
  const known = steps.get(documents);
  if (known) return known;
  const found = new Map<string, StepDocuments>();
  for (const { place, ...rest } of documents.values()) {
    if (place?.kind !== "step") continue;
    const list = found.get(place.name) ?? [];
    list.push({ ...rest, place });
    found.set(place.name, list);
  }
  steps.set(documents, found);
  return found;
}

const steps = new WeakMap<Parts["documents"], Map<string, StepDocuments>>();
