import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { failuresOf } from "../protocol/inputs.ts";
import { failure, runProgram } from "../protocol/process.ts";
import type { Context, Resource } from "../protocol/provider.ts";
import { differences, isMap, keepSecrets, open, type Values } from "../protocol/values.ts";
import type { Access } from "./access.ts";

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    generateName: z.never("a generated name is new at every apply; set metadata.name").optional(),
  }),
});

/** How long a custom resource definition gets to be served, and a deletion to be done. */
const [establishTimeout, deleteTimeout] = ["180s", "600s"];

/** Any object of the Kubernetes API, by server-side apply. */
export function objectResource(access: () => Access): Resource {
  return {
    check(inputs, old, name) {
      const metadata = named(inputs.metadata, old?.metadata, name);
      const whole = { ...inputs, metadata };
      return { inputs: whole, failures: failuresOf(Manifest, whole) };
    },
    diff: (old, inputs) =>
      [...differences(old, inputs)].map(([path, kind]) => ({
        ...{ path, kind },
        replaces: /^(apiVersion|kind|metadata\.(name|namespace))$/.test(path) && moved(old, inputs),
      })),
    foresee: (inputs) => ({ id: "", outputs: inputs }),
    async create(inputs, context) {
      const outputs = await apply(access(), inputs, context, !access().upsert);
      const { name, namespace } = Manifest.parse(open(outputs)).metadata;
      return { id: namespace === undefined ? name : `${namespace}/${name}`, outputs };
    },
    update: (_old, inputs, context) => apply(access(), inputs, context, false),
    async delete({ outputs }, context) {
      const { apiVersion, kind, metadata } = Manifest.parse(open(outputs));
      const { name, namespace } = metadata;
      const finished = await kubectl(
        access(),
        ["delete", "--ignore-not-found", "--wait", `--timeout=${deleteTimeout}`, "-f", "-"],
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

/** Another address is another object; another version of its API is not. */
function moved(old: Values, inputs: Values): boolean {
  return address(old) !== address(inputs);
}

function address(inputs: Values): string {
  const { apiVersion, kind, metadata } = open(inputs) as z.infer<typeof Manifest>;
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return JSON.stringify([group, kind, metadata.namespace ?? "", metadata.name]);
}

async function apply(access: Access, inputs: Values, context: Context, isNew: boolean) {
  const manifest = open(inputs) as Values;
  const { kind, metadata } = Manifest.parse(manifest);
  if (isNew) {
    const found = await kubectl(access, ["get", "-o", "name", "-f", "-"], manifest, context);
    if (found.status === 0) throw new Error(`resource ${found.stdout.trim()} already exists`);
  }
  const owner = ["--server-side", "--field-manager=oslo-cluster", "--force-conflicts"];
  const applied = await kubectl(
    access,
    ["apply", ...owner, "-o", "json", "-f", "-"],
    manifest,
    context,
  );
  if (applied.status !== 0) throw failure("kubectl apply", applied);
  if (kind === "CustomResourceDefinition") {
    // A path and not a condition: that fails where there are no conditions yet, and this waits.
    const established = '{.status.conditions[?(@.type=="Established")].status}=True';
    const wait = ["wait", `--for=jsonpath=${established}`, `--timeout=${establishTimeout}`];
    const served = await kubectl(access, [...wait, `crd/${metadata.name}`], undefined, context);
    if (served.status !== 0) throw failure("kubectl wait", served);
  }
  return keepSecrets(JSON.parse(applied.stdout), inputs) as Values;
}

/** What an API server on a machine with too much to do says, or lets kubectl say; another attempt succeeds. */
const passing =
  /TLS handshake timeout|Client\.Timeout|i\/o timeout|etcdserver: |conditions accessor error|unexpected EOF|connection reset by peer/;
/** Attempts, and the time between them. */
const [attempts, betweenMilliseconds] = [5, 3000];

async function kubectl(
  access: Access,
  args: string[],
  manifest: Values | undefined,
  context: Context,
) {
  for (let attempt = 1; ; attempt++) {
    const finished = await kubectlOnce(access, args, manifest, context);
    const again = finished.status !== 0 && passing.test(finished.stderr);
    if (!again || attempt === attempts || context.signal.aborted) return finished;
    await setTimeout(betweenMilliseconds);
  }
}

function kubectlOnce(
  { kubeconfig, contextName, namespace, directory }: Access,
  args: string[],
  manifest: Values | undefined,
  { log, signal }: Context,
) {
  return runProgram({
    file: "kubectl",
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--cache-dir=${directory}`,
      ...(contextName === undefined ? [] : [`--context=${contextName}`]),
      ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
      ...args,
    ],
    ...(manifest ? { input: JSON.stringify(manifest) } : {}),
    onStderr: log,
    signal,
  });
}
