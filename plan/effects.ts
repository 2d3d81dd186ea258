import { ciliumReleaseEffects, ciliumValuesEffects } from "./cilium.ts";
import { ciliumObjectEffects } from "./cilium-objects/effects.ts";
import { probeEffects } from "./datapath-probe.ts";
import {
  byPath,
  distinct,
  type Effect,
  type Effects,
  effect,
  lookup,
  type ObjectEffects,
  ofObject,
  resolveEffects,
  type StepEffects,
} from "./effect.ts";
import { gatewayObjectEffects } from "./gateway-api/objects.ts";
import { type ClusterFile, type MachineKind, type ObjectGroup, parsePath } from "./layout.ts";
import { hypervisorSteps } from "./libvirt/steps/index.ts";
import { namespaceEffects } from "./namespaces.ts";
import { readyEffects } from "./ready.ts";
import { steps } from "./steps/index.ts";

/** What a change of each step's document does, each from the place where the document is made. */
const stepEffects = new Map<string, StepEffects>([
  ...steps.map(({ name, effects }) => [name, effects] as const),
  ["ready", readyEffects],
  ["probe", probeEffects],
]);

/** The same by a step's name, which may be one of another revision. */
export function effectsOfStep(name: string): StepEffects {
  return (
    stepEffects.get(name) ?? {
      default: effect("live", "a step that one of the two revisions does not have"),
    }
  );
}

/** The same for the documents of hypervisors and guests; undefined for a script that no step has. */
export function effectsOfScript(name: string): StepEffects | undefined {
  return hypervisorSteps.find((step) => step.name === name)?.effects;
}

/** The script that takes a file of a hypervisor's documents. */
export function scriptOfFile(file: string): string | undefined {
  return (hypervisorSteps as readonly { name: string; files?: readonly string[] }[]).find(
    ({ files }) => files?.includes(file),
  )?.name;
}

const newCluster = effect("impossible", "a living cluster cannot change it: make a new cluster");
const way = effect("none", "another way to the machine; nothing on it changes");

/** Who the cluster is, and how it is reached. */
export const clusterEffects: Effects = byPath(
  {
    name: newCluster,
    endpoint: (before = "", after = "") => [
      port(before) === port(after)
        ? effect(
            "restart",
            "kubeconfigs ask another host; the API server's certificate gets its name",
          )
        : newCluster,
    ],
    drainTimeoutSeconds: effect("none", "how long a node's pods may take to leave it"),
  },
  way,
);

function port(endpoint: string): string | undefined {
  return endpoint.match(/:(\d+)"?$/)?.[1];
}

/** What `verify` asks, and from where on a reading breaks a promise. */
export const verifyEffects: Effects = byPath(
  {
    afterUp: effect(
      "none",
      "whether `up` proves every promise at its end, and fails for a broken one",
    ),
  },
  effect("none", "how promises are proven; nothing that runs changes"),
);

/** What becomes of an object, by the folder of its file and its kind. */
const objects: Record<ObjectGroup, Record<string, ObjectEffects>> = {
  "": { namespace: namespaceEffects },
  // Namespaces are there in plans of earlier revisions.
  "gateway-api": { ...gatewayObjectEffects, namespace: namespaceEffects },
  cilium: ciliumObjectEffects,
};

/** Who a node is. */
export const nodeEffects: Effects = byPath(
  {
    role: effect(
      "impossible",
      "a node keeps its role: take it out in one `up`, add it in the next; an only control plane cannot go",
    ),
    addresses: effect("none", "the documents of its steps say what becomes of it"),
    "reach.hostKey": effect("recreate", "another key is another machine"),
    "guest.identity": effect("recreate", "the guest is re-created"),
    "guest.hypervisor": effect("recreate", "the guest is re-created"),
    "guest.protected": effect("live", "whether the engine may destroy or replace it"),
  },
  way,
);

/** A guest's user is made at its first boot. */
const guestNodeEffects: Effects = (before, after) => [
  ...resolveEffects(nodeEffects, before, after),
  ...(user(before) === user(after)
    ? []
    : [
        effect(
          "impossible",
          "the user is made at a guest's first boot: raise the node's number in generations with the same change",
        ),
      ]),
];

function user(content: string | undefined): string | undefined {
  return content?.match(/^ {2}user: (.*)$/m)?.[1];
}

const clusterFileEffects: Record<ClusterFile, Effects> = {
  "cluster.yaml": clusterEffects,
  "cilium-values.yaml": ciliumValuesEffects,
  "cilium-release.yaml": ciliumReleaseEffects,
  "ready.yaml": readyEffects.default,
  "verify.yaml": verifyEffects,
};

/**
 * What a change of one document does that is no step's and no script's, by its place. A document
 * of a machine that is added or removed has no effect of its own: the machine has.
 * @throws Error for one that has no entry: a document without a label.
 */
export function placeEffects(path: string, place = parsePath(path)): Effects {
  const found =
    place?.kind === "cluster"
      ? clusterFileEffects[place.file]
      : place?.kind === "object"
        ? objectEffects(place)
        : place?.kind === "facts"
          ? factsEffects(place.machine)
          : undefined;
  if (found === undefined)
    throw new Error(`${path}: a document without a label; give it one in plan/effects.ts`);
  return found;
}

function objectEffects({ group, object }: { group: ObjectGroup; object: string }) {
  const found = objects[group][object];
  return found ? ofObject(found) : undefined;
}

function factsEffects(machine: MachineKind): Effects {
  if (machine === "hypervisor") return way;
  return (before, after) => {
    const guest = /^guest:$/m.test(before ?? "") && /^guest:$/m.test(after ?? "");
    return distinct(resolveEffects(guest ? guestNodeEffects : nodeEffects, before, after));
  };
}

/** What a change of a document's file does. */
export function stepFileEffects(
  table: StepEffects,
  name: string,
  before?: string,
  after?: string,
): Effect[] {
  return resolveEffects(lookup(table.files, name) ?? table.default, before, after);
}

/**
 * What a change of a document's settings does; a document that is new to a machine is a step that
 * runs there.
 */
export function settingsEffects(
  table: StepEffects,
  before?: Record<string, string>,
  after?: Record<string, string>,
): Effect[] {
  if (before === undefined || after === undefined) return [table.default];
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => before[key] !== after[key],
  );
  return distinct(
    changed.flatMap((key) =>
      key === "CLUSTER"
        ? [newCluster]
        : resolveEffects(lookup(table.vars, key) ?? table.default, before[key], after[key]),
    ),
  );
}
