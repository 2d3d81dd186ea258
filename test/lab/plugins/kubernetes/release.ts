import { randomBytes } from "node:crypto";
import { z } from "zod";
import { failuresOf } from "../protocol/inputs.ts";
import { type Finished, failure, runProgram } from "../protocol/process.ts";
import { type Context, Incomplete, type Made, type Resource } from "../protocol/provider.ts";
import { differences, isUnknown, open, unknown, type Values } from "../protocol/values.ts";
import type { Access } from "./access.ts";

const ReleaseInputs = z.strictObject({
  /** A name in the repository, an `oci://` address or a path. */
  chart: z.string(),
  version: z.string().optional(),
  repositoryOpts: z
    .strictObject({ repo: z.string().optional(), caFile: z.string().optional() })
    .default({}),
  name: z.string(),
  namespace: z.string().default("default"),
  createNamespace: z.boolean().default(false),
  values: z.record(z.string(), z.unknown()).default({}),
  skipAwait: z.boolean().default(false),
  waitForJobs: z.boolean().default(false),
  skipCrds: z.boolean().default(false),
  atomic: z.boolean().default(false),
  cleanupOnFail: z.boolean().default(false),
  /** Seconds for any single operation. */
  timeout: z.number().default(300),
  /** The SDK sets it by itself. */
  compat: z.unknown(),
});

/**
 * `helm.v3.Release`: installed once, upgraded after. A release of the same name that is there already is
 * an error; one that failed is kept, and the next run upgrades it.
 */
export function releaseResource(access: () => Access): Resource {
  const perform = async (verb: string, inputs: Values, context: Context): Promise<Made> => {
    const { name, namespace } = ReleaseInputs.parse(open(inputs));
    const made = (printed: string) => ({
      id: `${namespace}/${name}`,
      outputs: { ...inputs, status: statusOf(printed) },
    });
    const finished = await install(access(), verb, open(inputs) as Values, context);
    if (finished.status === 0) return made(finished.stdout);
    const error = failure(`helm ${verb}`, finished);
    // Somebody else's.
    if (finished.stderr.includes("cannot re-use a name")) throw error;
    const status = ["status", name, "--output", "json"];
    const found = await helm(access(), status, namespace, context);
    throw found.status === 0 ? new Incomplete(made(found.stdout), error) : error;
  };
  return {
    check(given, old, name) {
      const inputs = {
        ...given,
        name: given.name ?? old?.name ?? `${name}-${randomBytes(4).toString("hex")}`,
        namespace: given.namespace || (namespaceOf(access) ?? "default"),
      };
      return { inputs, failures: failuresOf(ReleaseInputs, inputs) };
    },
    diff: (old, inputs) =>
      [...differences(old, inputs)].map(([path, kind]) => ({
        ...{ path, kind },
        replaces: path === "name" || path === "namespace",
      })),
    foresee: (inputs) => ({ id: "", outputs: { ...inputs, status: unknown } }),
    create: (inputs, context) => perform("install", inputs, context),
    update: async (_old, inputs, context) => (await perform("upgrade", inputs, context)).outputs,
    async delete({ outputs }, context) {
      const { status: _, ...inputs } = open(outputs) as Values;
      const { name, namespace, timeout, skipAwait } = ReleaseInputs.parse(inputs);
      const wait = skipAwait ? [] : ["--wait"];
      const args = ["uninstall", name, ...wait, "--timeout", `${timeout}s`];
      const finished = await helm(access(), args, namespace, context);
      if (finished.status !== 0) throw failure("helm uninstall", finished);
    },
  };
}

/** A release as Helm prints it, as far as outputs have it; `helm status` leaves the chart out. */
function statusOf(printed: string): Values {
  const { name, namespace, version: revision, info, chart } = JSON.parse(printed);
  const { name: chartName, version, appVersion } = chart?.metadata ?? {};
  const all = {
    name,
    namespace,
    revision,
    status: info?.status,
    chart: chartName,
    version,
    appVersion,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** That of the provider, where it is known. */
function namespaceOf(access: () => Access): string | undefined {
  try {
    const { namespace } = access();
    return isUnknown(namespace) ? undefined : namespace;
  } catch {
    return undefined;
  }
}

function install(
  access: Access,
  verb: string,
  inputs: Values,
  context: Context,
): Promise<Finished> {
  const wanted = ReleaseInputs.parse(inputs);
  const { repo, caFile } = wanted.repositoryOpts;
  const args = [
    ...[verb, wanted.name, wanted.chart, "--values", "-", "--output", "json"],
    ...(wanted.version === undefined ? [] : ["--version", wanted.version]),
    ...(repo === undefined ? [] : ["--repo", repo]),
    ...(caFile === undefined ? [] : ["--ca-file", caFile]),
    ...(wanted.createNamespace && verb === "install" ? ["--create-namespace"] : []),
    ...(wanted.skipAwait ? [] : ["--wait"]),
    ...(wanted.waitForJobs ? ["--wait-for-jobs"] : []),
    ...(wanted.skipCrds ? ["--skip-crds"] : []),
    ...(wanted.atomic ? ["--atomic"] : []),
    ...(wanted.cleanupOnFail && verb === "upgrade" ? ["--cleanup-on-fail"] : []),
    ...["--timeout", `${wanted.timeout}s`],
  ];
  return helm(access, args, wanted.namespace, context, JSON.stringify(wanted.values));
}

function helm(
  { kubeconfig, contextName, directory }: Access,
  args: string[],
  namespace: string,
  { log, signal }: Context,
  input = "",
): Promise<Finished> {
  return runProgram({
    file: "helm",
    args: [
      ...args,
      ...["--namespace", namespace, "--kubeconfig", kubeconfig],
      ...(contextName === undefined ? [] : ["--kube-context", contextName]),
    ],
    env: { HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory, HELM_DATA_HOME: directory },
    input,
    onStderr: log,
    signal,
  });
}
