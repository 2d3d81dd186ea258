import type { Change } from "./stack.ts";

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

/** Operations in which something that exists goes. */
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
      // A component is a name for what it holds, which is told by itself.
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

/** Resources that the engine would replace or delete though no change of the plan says so. */
export function surprises(
  { steps }: EnginePreview,
  changes: readonly Change[],
  machines: readonly string[],
): string[] {
  const gone = changes.filter(({ effects }) => effects[0]?.impact === "recreate");
  const goneMachines = new Set(gone.flatMap((change) => change.machines));
  const goneDocuments = new Set(gone.map(({ what }) => what));
  const unexpected = steps
    .filter(({ operation }) => destructive.includes(operation))
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
  const [object = "", namespace] = name.split("/").reverse();
  return ["gateway-api", namespace, `${type.toLowerCase()}-${object}.yaml`]
    .filter(Boolean)
    .join("/");
}
