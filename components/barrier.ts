import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/**
 * One resource that comes after all of these: what waits for them waits for it, so that dependencies
 * grow with the nodes and not with their square.
 */
export function barrier(
  name: string,
  after: pulumi.Input<pulumi.Input<pulumi.Resource>[]>,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Resource {
  return new command.local.Command(
    name,
    { create: ":", logging: command.local.Logging.None, addPreviousOutputInEnv: false },
    { ...opts, dependsOn: after },
  );
}
