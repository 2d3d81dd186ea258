import { randomBytes } from "node:crypto";
import { z } from "zod";
import { failuresOf } from "../protocol/inputs.ts";
import { failure } from "../protocol/process.ts";
import {
  type Change,
  type Context,
  Incomplete,
  type Made,
  type Resource,
} from "../protocol/provider.ts";
import { differences, isMap, keepSecrets, open, secret, type Values } from "../protocol/values.ts";
import type { Access } from "./access.ts";
import { kubectl } from "./kubectl.ts";

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    annotations: z.record(z.string(), z.unknown()).default({}),
    generateName: z.never("a generated name is new at every apply; set metadata.name").optional(),
  }),
});

/** How long a custom resource definition gets to be served; a rollout and a deletion to be done. */
const [establishTimeout, rolloutTimeout, deleteTimeout] = ["180s", "600s", "600s"];

/** Any object of the Kubernetes API, by server-side apply. */
export function objectResource(access: () => Access): Resource {
  return {
    check(inputs, old, name) {
      const metadata = named(inputs.metadata, old?.metadata, name);
      const whole = { ...inputs, metadata };
      return { inputs: whole, failures: failuresOf(Manifest, whole) };
    },
    diff: changesOf,
    foresee: (inputs) => ({ id: "", outputs: inputs }),
    async create(inputs, context) {
      const outputs = await apply(access(), inputs, managerOf(inputs), context, "create");
      return await live(access(), outputs, context);
    },
    async update({ outputs }, inputs, context) {
      const manager = managerOf(inputs, outputs);
      const applied = await apply(access(), inputs, manager, context, "update");
      return (await live(access(), applied, context)).outputs;
    },
    async delete({ outputs }, context) {
      const { apiVersion, kind, metadata } = Manifest.parse(open(outputs));
      const { name, namespace } = metadata;
      const how = ["--ignore-not-found", "--cascade=foreground", `--timeout=${deleteTimeout}`];
      const finished = await kubectl(
        access(),
        ["delete", ...how, "-f", "-"],
        { apiVersion, kind, metadata: { name, namespace } },
        context,
      );
      // Its definition went first, and every object with it.
      if (finished.status !== 0 && !finished.stderr.includes("no matches for kind"))
        throw failure("kubectl delete", finished);
    },
  };
}

function named(metadata: unknown, before: unknown, name: string): unknown {
  if (metadata !== undefined && !isMap(metadata)) return metadata;
  if (metadata?.name !== undefined) return metadata;
  const kept = isMap(before) ? before.name : undefined;
  return { ...metadata, name: kept ?? `${name}-${randomBytes(4).toString("hex")}` };
}

/** Fields that upstream never changes in place, of the kinds that a cluster may have; upstream: diff.go. */
const fixed: Record<string, RegExp> = {
  ConfigMap: /^(data|binaryData)\b/,
  Secret: /^(type|data|stringData)\b/,
  Service: /^spec\.clusterIP$/,
  DaemonSet: /^spec\.selector\b/,
  Deployment: /^spec\.selector\b/,
};

/** What has another address or another value of such a field is another object. */
function changesOf(old: Values, inputs: Values): Change[] {
  const isMoved = address(old) !== address(inputs);
  const changes = [...differences(old, inputs)].map(([path, kind]) => ({
    ...{ path, kind },
    replaces:
      (isMoved && /^metadata\.(name|namespace)$/.test(path)) ||
      (fixed[String(open(inputs.kind))]?.test(path) ?? false),
  }));
  return changes.map((change) => ({ ...change, deletesFirst: change.replaces && !isMoved }));
}

function address(inputs: Values): string {
  const { name, namespace = "default" } = (open(inputs.metadata) ?? {}) as Values;
  return JSON.stringify([namespace, name]);
}

/** Where upstream keeps it in the state too. */
const managerKey = "__fieldManager";

/** The object's field manager: as it says, else a name at random that it keeps. */
function managerOf(inputs: Values, before?: Values): string {
  const { annotations } = Manifest.parse(open(inputs)).metadata;
  const kept = annotations["pulumi.com/patchFieldManager"] ?? open(before?.[managerKey]);
  return String(kept ?? `pulumi-kubernetes-${randomBytes(4).toString("hex")}`);
}

async function apply(
  access: Access,
  inputs: Values,
  manager: string,
  context: Context,
  operation: "create" | "update",
): Promise<Values> {
  const manifest = open(inputs) as Values;
  const { kind, metadata } = Manifest.parse(manifest);
  const { annotations } = metadata;
  if (operation === "update" || !access.upsert) {
    const found = await kubectl(access, ["get", "-o", "name", "-f", "-"], manifest, context);
    if (operation === "update" && found.status !== 0) throw failure("kubectl get", found);
    if (operation === "create" && found.status === 0)
      throw new Error(`resource ${found.stdout.trim()} already exists`);
  }
  const force = annotations["pulumi.com/patchForce"] ?? String(access.force);
  const how = ["--server-side", `--field-manager=${manager}`, `--force-conflicts=${force}`];
  const isDefinition = kind === "CustomResourceDefinition";
  // A definition is replaced as a whole, whoever wrote it.
  const verb =
    isDefinition && operation === "update"
      ? ["replace", `--field-manager=${manager}`]
      : ["apply", ...how];
  const applied = await kubectl(access, [...verb, "-o", "json", "-f", "-"], manifest, context);
  if (applied.status !== 0) throw failure(`kubectl ${verb[0]}`, applied);
  const outputs = keepSecrets(JSON.parse(applied.stdout), inputs) as Values;
  if (kind === "Secret") outputs.data = secret(outputs.data);
  return { ...outputs, [managerKey]: manager };
}

/**
 * Waits until a definition is served, and until a DaemonSet or Deployment is what it was made to be.
 * @throws {Incomplete} where it does not become that
 */
async function live(access: Access, outputs: Values, context: Context): Promise<Made> {
  const { kind, metadata } = Manifest.parse(open(outputs));
  const { name, namespace, annotations } = metadata;
  const made = { id: namespace === undefined ? name : `${namespace}/${name}`, outputs };
  if (annotations["pulumi.com/skipAwait"] === "true") return made;
  const seconds = annotations["pulumi.com/timeoutSeconds"];
  const within = (usual: string) => `--timeout=${seconds === undefined ? usual : `${seconds}s`}`;
  const where = namespace === undefined ? [] : [`--namespace=${namespace}`];
  // A path and not a condition: that fails where there are no conditions yet, and this waits.
  const established = '{.status.conditions[?(@.type=="Established")].status}=True';
  const rollout = (resource: string) => [
    ...["rollout", "status", ...where, within(rolloutTimeout), `${resource}/${name}`],
  ];
  const waits: Record<string, string[]> = {
    CustomResourceDefinition: [
      ...["wait", `--for=jsonpath=${established}`, within(establishTimeout), `crd/${name}`],
    ],
    DaemonSet: rollout("daemonset"),
    Deployment: rollout("deployment"),
  };
  const wait = waits[kind];
  if (wait === undefined) return made;
  const finished = await kubectl(access, wait, undefined, context);
  if (finished.status !== 0) throw new Incomplete(made, failure(`kubectl ${wait[0]}`, finished));
  return made;
}
