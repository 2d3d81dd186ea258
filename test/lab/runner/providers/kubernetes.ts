import { randomBytes } from "node:crypto";
import { z } from "zod";
import { type CommandLine, execute, failure } from "../exec.ts";
import type { Values } from "../values.ts";
import { accessTo } from "./kubeconfig.ts";
import type { Context, Provider } from "./provider.ts";

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string().optional(),
    namespace: z.string().optional(),
    generateName: z.never("a generated name is new at every apply; set metadata.name").optional(),
  }),
});

/** How long a custom resource definition gets to be served, and a deletion to be done. */
const [establishTimeout, deleteTimeout] = ["60s", "120s"];

/** Any object of the Kubernetes API, by server-side apply. */
export const kubernetesObject: Provider = {
  check(inputs, name, old) {
    const metadata = { ...(inputs.metadata as Values | undefined) };
    const before = old?.metadata as Values | undefined;
    metadata.name ??= before?.name ?? `${name}-${randomBytes(4).toString("hex")}`;
    return { ...inputs, metadata };
  },
  replaces: (_changed, old, inputs) => identity(old) !== identity(inputs),
  async create(inputs, context) {
    const outputs = await apply(inputs, context);
    const { name, namespace } = Manifest.parse(outputs).metadata;
    return { id: namespace === undefined ? `${name}` : `${namespace}/${name}`, outputs };
  },
  update: async (_old, inputs, context) => apply(inputs, context),
  async delete(old, context) {
    const { apiVersion, kind, metadata } = Manifest.parse(old.inputs);
    const { name, namespace } = metadata;
    const finished = await kubectl(
      ["delete", "--ignore-not-found", "--wait", `--timeout=${deleteTimeout}`, "-f", "-"],
      { apiVersion, kind, metadata: { name, namespace } },
      context,
    );
    // Its definition went first, and every object with it.
    if (!finished.ok && !finished.stderr.includes("no matches for kind")) {
      throw failure("kubectl delete", finished);
    }
  },
};

/** The parts of an object's address; another address is another object. */
function identity(inputs: Values): string {
  const { apiVersion, kind, metadata } = Manifest.parse(inputs);
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return JSON.stringify([group, kind, metadata.namespace ?? "", metadata.name]);
}

async function apply(inputs: Values, context: Context): Promise<Values> {
  const { kind, metadata } = Manifest.parse(inputs);
  const owner = ["--server-side", "--field-manager=oslo-cluster", "--force-conflicts"];
  const finished = await kubectl(["apply", ...owner, "-o", "json", "-f", "-"], inputs, context);
  if (!finished.ok) throw failure("kubectl apply", finished);
  if (kind === "CustomResourceDefinition") {
    const wait = ["wait", "--for=condition=Established", `--timeout=${establishTimeout}`];
    const served = await kubectl([...wait, `crd/${metadata.name}`], undefined, context);
    if (!served.ok) throw failure("kubectl wait", served);
  }
  return JSON.parse(finished.stdout) as Values;
}

async function kubectl(args: string[], manifest: Values | undefined, context: Context) {
  const { file: kubeconfig, contextName, namespace } = accessTo(context);
  const command: CommandLine = {
    file: context.tools.kubectl,
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--cache-dir=${context.scratch}/kubectl`,
      ...(contextName === undefined ? [] : [`--context=${contextName}`]),
      ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
      ...args,
    ],
    onStderr: context.log,
  };
  return execute(manifest ? { ...command, input: JSON.stringify(manifest) } : command);
}
