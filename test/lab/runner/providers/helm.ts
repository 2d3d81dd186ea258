import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { execute, type Finished, failure } from "../exec.ts";
import type { Values } from "../values.ts";
import { accessTo } from "./kubeconfig.ts";
import type { Context, Provider } from "./provider.ts";

const ReleaseInputs = z.strictObject({
  /** A name in the repository, an `oci://` address or a path. */
  chart: z.string(),
  version: z.string().optional(),
  repositoryOpts: z
    .strictObject({ repo: z.string().optional(), caFile: z.string().optional() })
    .default({}),
  name: z.string(),
  namespace: z.string().optional(),
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

/** `kubernetes:helm.sh/v3:Release`, by the helm 3 command line. */
export const helmRelease: Provider = {
  check(inputs, name, old) {
    return {
      ...inputs,
      name: inputs.name ?? old?.name ?? `${name}-${randomBytes(4).toString("hex")}`,
    };
  },
  replaces: (changed) => changed.includes("name") || changed.includes("namespace"),
  async create(inputs, context) {
    const outputs = await install(inputs, context);
    const { name, namespace } = release(inputs, context);
    return { id: `${namespace}/${name}`, outputs };
  },
  update: async (_old, inputs, context) => install(inputs, context),
  async delete(old, context) {
    const { timeout, skipAwait } = ReleaseInputs.parse(old.inputs);
    const wait = skipAwait ? [] : ["--wait"];
    const args = ["uninstall", "--ignore-not-found", ...wait, "--timeout", `${timeout}s`];
    const finished = await helm([...args, release(old.inputs, context).name], old.inputs, context);
    if (!finished.ok) throw failure("helm uninstall", finished);
  },
};

async function install(inputs: Values, context: Context): Promise<Values> {
  let finished = await upgrade(inputs, context);
  if (!finished.ok && finished.stderr.includes("another operation")) {
    await clearPending(inputs, context);
    finished = await upgrade(inputs, context);
  }
  if (!finished.ok) throw failure("helm upgrade --install", finished);
  const { name, namespace, version, info, chart } = JSON.parse(finished.stdout);
  const { name: chartName, version: chartVersion, appVersion } = chart?.metadata ?? {};
  const { status } = info ?? {};
  const details = { chart: chartName, version: chartVersion, appVersion };
  return { status: { name, namespace, revision: version, status, ...details } };
}

function upgrade(inputs: Values, context: Context): Promise<Finished> {
  const wanted = ReleaseInputs.parse(inputs);
  const { repo, caFile } = wanted.repositoryOpts;
  const args = [
    ...["upgrade", "--install", wanted.name, wanted.chart, "--values", "-", "--output", "json"],
    ...(wanted.version === undefined ? [] : ["--version", wanted.version]),
    ...(repo === undefined ? [] : ["--repo", repo]),
    ...(caFile === undefined ? [] : ["--ca-file", caFile]),
    ...(wanted.createNamespace ? ["--create-namespace"] : []),
    ...(wanted.skipAwait ? [] : ["--wait"]),
    ...(wanted.waitForJobs ? ["--wait-for-jobs"] : []),
    ...(wanted.skipCrds ? ["--skip-crds"] : []),
    ...(wanted.atomic ? ["--atomic"] : []),
    ...(wanted.cleanupOnFail ? ["--cleanup-on-fail"] : []),
    ...["--timeout", `${wanted.timeout}s`],
  ];
  return helm(args, inputs, context, JSON.stringify(wanted.values));
}

/** A helm that was killed leaves its release locked; as runs exclude each other, nobody works on it. */
async function clearPending(inputs: Values, context: Context): Promise<void> {
  const { name } = release(inputs, context);
  const found = await helm(["status", name, "--output", "json"], inputs, context);
  if (!found.ok) throw failure("helm status", found);
  const first = JSON.parse(found.stdout).info?.status === "pending-install";
  context.log(`clearing a release that an interrupted helm left ${first ? "half made" : "locked"}`);
  const cleared = await helm([first ? "uninstall" : "rollback", name], inputs, context);
  if (!cleared.ok) throw failure(`helm ${first ? "uninstall" : "rollback"}`, cleared);
}

function release(inputs: Values, context: Context): { name: string; namespace: string } {
  const { name, namespace } = ReleaseInputs.parse(inputs);
  return { name, namespace: namespace ?? accessTo(context).namespace ?? "default" };
}

function helm(args: string[], inputs: Values, context: Context, input = ""): Promise<Finished> {
  const { file: kubeconfig, contextName } = accessTo(context);
  const home = join(context.scratch, "helm");
  return execute({
    file: context.tools.helm,
    args: [
      ...args,
      ...["--namespace", release(inputs, context).namespace, "--kubeconfig", kubeconfig],
      ...(contextName === undefined ? [] : ["--kube-context", contextName]),
    ],
    env: { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home },
    input,
    onStderr: context.log,
  });
}
