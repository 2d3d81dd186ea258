import { distinct, type Effect, effect, severity } from "../../plan/effect.ts";
import { leaks } from "../../plan/secrets.ts";
import {
  type Document,
  type Files,
  type Machine,
  machineOf,
  type Parts,
  partsOf,
  subjectOf,
} from "./plan-parts.ts";

/** One change, with every machine on which it does the same. */
export interface Change {
  /** What changes: a document by the step that takes it, or a machine. */
  what: string;
  /** Nodes or hypervisors; none for what belongs to the cluster as a whole. */
  machines: string[];
  /** The worst first; never empty. */
  effects: Effect[];
  /** What is there; machines on which it is the same share one. Never empty. */
  contents: Content[];
}

export interface Content {
  machines: string[];
  before?: string;
  after?: string;
}

/** A change of one document, on one machine or on none. */
interface Single extends Omit<Change, "contents">, Omit<Content, "machines"> {}

export interface StackChanges {
  changes: Change[];
  /** What could not be compared, for people. */
  notes: string[];
}

/** Facts that an older revision may not render yet: their absence there is no change. */
const facts = [
  "cluster/cluster.yaml",
  "cluster/cilium-release.yaml",
  "cluster/verify.yaml",
  "node.yaml",
  "hypervisor.yaml",
];

/**
 * What changes from one plan of a stack to the next, the worst first. Pure.
 * @throws Error where a plan holds what looks like a secret, or a document has no label.
 */
export function stackChanges(base: Files, head: Files): StackChanges {
  // Most nodes have the same, before and after: each content is looked at once.
  const clean = new Set<string>();
  for (const [revision, files] of [["base", base] as const, ["head", head] as const]) {
    assertNoSecret(revision, files, clean);
  }
  const unknown = facts.filter((name) => has(head, name) && !has(base, name));
  const [before, after] = [partsOf(base), partsOf(head)];
  const changes = [
    ...machineChanges(before.machines, after.machines),
    ...documentChanges(before, after, unknown),
  ];
  return {
    changes: grouped(withoutTheReplaced(changes)).sort(byLabel),
    notes: unknown.map((name) => `the base does not render ${name} yet: not compared`),
  };
}

/** Whether any machine, or the cluster, has that file. */
function has(files: Files, name: string): boolean {
  return [...files.keys()].some((path) => path === name || path.endsWith(`/${name}`));
}

function assertNoSecret(revision: string, files: Files, clean: Set<string>): void {
  for (const [path, content] of files) {
    if (clean.has(content)) continue;
    const [what] = leaks([content]);
    clean.add(content);
    if (what === undefined) continue;
    throw Object.assign(
      new Error(
        `${path}: the plan of the ${revision} holds what looks like ${what}; nothing is shown. Take it out of the stack's file: a plan holds no secrets`,
      ),
      { code: "SECRET" },
    );
  }
}

function machineChanges(before: Parts["machines"], after: Parts["machines"]): Single[] {
  const gone = [...before.values()].filter(({ name }) => !after.has(name));
  const come = [...after.values()].filter(({ name }) => !before.has(name));
  return [
    ...gone.map((machine) => ({
      what: `${machine.kind} removed`,
      machines: [machine.name],
      before: machine.facts,
      effects: [effect("recreate", loss(machine, before))],
    })),
    ...come.map((machine) => ({
      what: `new ${machine.kind}`,
      machines: [machine.name],
      after: machine.facts,
      effects: [
        effect("live", machine.kind === "node" ? "measured, claimed, joins" : "measured, prepared"),
      ],
    })),
  ];
}

/** What is lost with a machine, for a reviewer. A worker leaves the cluster by itself. */
function loss({ kind, facts: content }: Machine, machines: Parts["machines"]): string {
  if (kind === "hypervisor") return "lost: the VLAN's devices and the image there";
  const machine = /^guest:$/m.test(content)
    ? "the guest's disks"
    : "Kubernetes, its data and local volumes (the machine is given back)";
  const isControlPlane = (facts: string) => /^role: control-plane$/m.test(facts);
  const others = [...machines.values()].filter(({ facts }) => isControlPlane(facts)).length - 1;
  if (!isControlPlane(content))
    return `drained first, and its Node object deleted; lost: ${machine}`;
  return others < 1
    ? `lost: the whole cluster (etcd's data), and ${machine}`
    : `drained first, its member taken out of etcd by another, and its Node object deleted; the API answers by the others within seconds; lost: ${machine}`;
}

function documentChanges(before: Parts, after: Parts, unknown: readonly string[]): Single[] {
  const paths = [...new Set([...before.documents.keys(), ...after.documents.keys()])].sort();
  return paths.flatMap((path) => {
    const [from, to] = [before.documents.get(path), after.documents.get(path)];
    if (from?.rendered === to?.rendered) return [];
    const document = (to ?? from) as Document;
    const machine = machineOf(document.place);
    // A machine that is added or removed is one change; facts that the base does not render are none.
    if (machine && !(before.machines.has(machine) && after.machines.has(machine))) return [];
    if (unknown.some((name) => path === name || path.endsWith(`/${name}`))) return [];
    const subject = subjectOf(document, [after, before]);
    const content = (one?: Document) => (one ? subject.content(one.rendered) : undefined);
    const [was, is] = [content(from), content(to)];
    if (was === is) return [];
    const effects = subject.effects(from?.rendered, to?.rendered).map((entry) => {
      const facts = before.machines.get(machine ?? "");
      return entry.impact === "recreate" && facts
        ? effect("recreate", `${entry.says}; ${loss(facts, before.machines)}`)
        : entry;
    });
    return [
      {
        what: subject.what,
        machines: machine ? [machine] : [],
        ...(was === undefined ? {} : { before: was }),
        ...(is === undefined ? {} : { after: is }),
        effects: distinct(effects.length > 0 ? effects : [effect("none", "the same settings")]),
      },
    ];
  });
}

/** On a machine that is re-created nothing else is a change. */
function withoutTheReplaced(changes: Single[]): Single[] {
  const recreated = new Set(
    changes
      .filter(({ effects }) => effects.some(({ impact }) => impact === "recreate"))
      .flatMap(({ machines }) => machines),
  );
  return changes.flatMap((change) => {
    if (!change.machines.some((name) => recreated.has(name))) return [change];
    const effects = change.effects.filter(({ impact }) => impact === "recreate");
    return effects.length > 0 ? [{ ...change, effects }] : [];
  });
}

/** What does the same on several machines is one change, whatever their documents say. */
function grouped(singles: Single[]): Change[] {
  const groups = new Map<string, Change>();
  for (const { what, machines, effects, before, after } of singles) {
    const key = JSON.stringify([what, effects]);
    const group = groups.get(key) ?? { what, machines: [], effects, contents: [] };
    groups.set(key, group);
    group.machines.push(...machines);
    const same = group.contents.find(
      (content) => content.before === before && content.after === after,
    );
    if (same) same.machines.push(...machines);
    else {
      const texts = {
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      };
      group.contents.push({ machines: [...machines], ...texts });
    }
  }
  return [...groups.values()];
}

function byLabel(a: Change, b: Change): number {
  const label = ({ effects }: Change) => severity(effects[0]?.impact ?? "none");
  return label(b) - label(a) || a.what.localeCompare(b.what, "en");
}
