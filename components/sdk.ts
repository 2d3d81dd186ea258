import * as pulumi from "@pulumi/pulumi";

/**
 * Ends three things that Pulumi's SDK does for each resource and that nobody reads. In a cluster of a
 * hundred nodes they took half of the program's time, a fifth of its memory, and a tenth of the state.
 *
 * - Debug messages, one call of the engine each, hold the whole answer to a registration, documents too,
 *   and wait in one queue; the engine discards them unless it was started with `--debug`.
 *   OSLO_CLUSTER_DEBUG=1 keeps them.
 * - Traces are taken at every promise, and their positions looked up in source maps. Node strips types in
 *   place, so that positions are those of the source already.
 * - Where in the program a resource was made is saved with it, as paths of the machine that ran `up`.
 */
export function quietenSdk(env: NodeJS.ProcessEnv = process.env): void {
  if (env.OSLO_CLUSTER_DEBUG === undefined) Object.assign(pulumi.log, { debug: async () => {} });
  Error.prepareStackTrace = undefined as never;
  Object.assign(pulumi.Resource, { callsites: () => [] });
}
