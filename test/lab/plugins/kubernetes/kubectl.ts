import { setTimeout } from "node:timers/promises";
import { type Finished, runProgram } from "../protocol/process.ts";
import type { Context } from "../protocol/provider.ts";
import type { Values } from "../protocol/values.ts";
import type { Access } from "./access.ts";

/** What an API server on a machine with too much to do says, or lets kubectl say; another attempt succeeds. */
const passing =
  /TLS handshake timeout|Client\.Timeout|i\/o timeout|etcdserver: |conditions accessor error|unexpected EOF|connection reset by peer/;
/** Attempts, and the time between them. */
const [attempts, betweenMilliseconds] = [5, 3000];

/** kubectl in the cluster of a provider, with an object on its standard input. */
export async function kubectl(
  access: Access,
  args: string[],
  manifest: Values | undefined,
  context: Context,
): Promise<Finished> {
  for (let attempt = 1; ; attempt++) {
    const finished = await once(access, args, manifest, context);
    const again = finished.status !== 0 && passing.test(finished.stderr);
    if (!again || attempt === attempts || context.signal.aborted) return finished;
    await setTimeout(betweenMilliseconds);
  }
}

function once(
  { kubeconfig, contextName, namespace, directory }: Access,
  args: string[],
  manifest: Values | undefined,
  { log, signal }: Context,
): Promise<Finished> {
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
