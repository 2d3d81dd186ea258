import type { Change } from "./changes.ts";

/** What Pulumi's engine would do, of what `pulumi preview --json` prints. Names alone, no values. */
export interface EnginePreview {
  /** Why there is none. */
  missing?: string;
  steps: EngineStep[];
  /** What the policy pack refuses, each as `policy: resource: message`. */
  refused?: string[];
}

export interface EngineStep {
  operation: string;
  /** The resource's name. */
  name: string;
  /** The last part of the resource's type, such as Command. */
  type: string;
  /** Names of the inputs that differ. */
  inputs: string[];
  /** Names of the inputs for which it would be replaced. */
  replacedFor: string[];
}

/** Operations in which something that exists is removed. */
const destructive = ["replace", "delete", "create-replacement", "delete-replaced"];

/**
 * Reads the engine's answer.
 * @throws SyntaxError where it is no JSON, TypeError where it holds no steps.
 */
export function readPreview(json: string): EnginePreview {
  const { steps } = JSON.parse(json) as { steps?: Record<string, unknown>[] };
  if (!Array.isArray(steps)) throw new TypeError("no steps in what the engine printed");
  return {
    steps: steps
      .filter(({ op }) => op !== "same" && op !== "read" && op !== "refresh")
      // A component is a name for what it holds, which is reported by itself.
      .filter(({ urn }) => !/(?:::|\$)oslo-cluster:index:\w+::[^:]+$/.test(String(urn)))
      .map(({ op, urn, diffReasons, replaceReasons }) => {
        // urn:pulumi:STACK::PROJECT::TYPES::NAME
        const [, , type = "", name = ""] = String(urn).split("::");
        return {
          operation: String(op),
          name,
          type: type.split("$").at(-1)?.split(":").at(-1) ?? type,
          inputs: (diffReasons as string[] | undefined) ?? [],
          replacedFor: (replaceReasons as string[] | undefined) ?? [],
        };
      }),
  };
}

/** Commands that only measure: nothing is removed with them. */
const measuring = ["datapath-probe", "promises"];

/** Resources that the engine would replace or delete though no change of the plan says so. */
export function surprises(
  { steps }: EnginePreview,
  changes: readonly Change[],
  machines: readonly string[],
): string[] {
  const gone = changes.filter(({ effects }) => effects[0]?.impact === "recreate");
  const goneMachines = new Set(gone.flatMap((change) => change.machines));
  // What the plan no longer holds is removed, also where nothing is lost with it.
  const leaving = changes.filter(({ contents }) =>
    contents.some(({ before, after }) => before !== undefined && after === undefined),
  );
  const goneDocuments = new Set([...gone, ...leaving].map(({ what }) => what));
  const unexpected = steps
    .filter(({ operation }) => destructive.includes(operation))
    .filter(({ name, type }) => !(type === "Command" && measuring.includes(name)))
    .filter((step) => {
      const machine = machineOf(step.name, machines);
      return machine ? !goneMachines.has(machine) : !goneDocuments.has(documentOf(step));
    });
  const byName = new Map(unexpected.map((step) => [step.name, step]));
  return [...byName.values()].map(({ name, operation, inputs, replacedFor }) => {
    const does = operation === "delete" ? "delete" : "replace";
    // Not every version of the engine tells which of the inputs it is.
    const [reasons] = [replacedFor, inputs].filter(({ length }) => length > 0);
    const why = reasons ? ` (for ${reasons.join(", ")})` : "";
    return `the engine would ${does} ${name}${why}, and no change of the plan says that`;
  });
}

/** The machine whose resource it is: the longest name that it begins with. */
function machineOf(resource: string, machines: readonly string[]): string | undefined {
  return machines
    .filter((machine) => resource === machine || resource.startsWith(`${machine}-`))
    .sort((a, b) => b.length - a.length)[0];
}

/** The document of an object in the cluster, as the plan's files name it. */
function documentOf({ name, type }: EngineStep): string {
  const kind = type.toLowerCase();
  const [object = "", ...above] = name.split("/").reverse();
  const file = `${kind}-${object}.yaml`;
  if (kind === "namespace") return file;
  // Their names begin with the kind.
  const ofCilium = name.startsWith(`${kind}/`);
  const namespace = ofCilium ? above.slice(0, -1) : above;
  return [ofCilium ? "cilium" : "gateway-api", ...namespace, file].join("/");
}
