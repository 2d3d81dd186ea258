import { type ResourceValidationArgs, unknownCheckingProxy } from "@pulumi/policy";
import { runtime } from "@pulumi/pulumi";
import { policies } from "../../policy/policies.ts";
import type { Registered } from "../components/program.ts";

/** A resource, as far as rules look at it. */
export type Judged = Pick<Registered, "type" | "name" | "inputs" | "protect"> & {
  deleteBeforeReplace?: boolean;
};

class NotApplicable extends Error {}

/** What the pack finds in resources, as `policy: resource: message`; the way the SDK's server asks it. */
export async function violationsOf(
  resources: readonly Judged[],
  config: Record<string, object> = {},
): Promise<string[]> {
  const found: string[] = [];
  // As the engine hands the stack's configuration to a pack.
  runtime.setConfig("oslo-cluster:cluster", JSON.stringify(config.cluster ?? {}));
  for (const resource of resources) {
    for (const policy of policies) {
      const { validateResource } = policy;
      if (typeof validateResource !== "function") throw new Error(`${policy.name}: no function`);
      try {
        await validateResource(argsOf(resource, config[policy.name] ?? {}), (message) =>
          found.push(`${policy.name}: ${resource.name}: ${message}`),
        );
      } catch (error) {
        if (!(error instanceof NotApplicable)) throw error;
      }
    }
  }
  return found;
}

function argsOf(resource: Judged, config: object): ResourceValidationArgs {
  const { type, name, inputs, protect, deleteBeforeReplace = false } = resource;
  return {
    type,
    name,
    urn: `urn:pulumi:test::oslo-cluster::${type}::${name}`,
    props: unknownCheckingProxy(inputs),
    opts: {
      ...{ protect, deleteBeforeReplace, ignoreChanges: [], aliases: [] },
      ...{ additionalSecretOutputs: [] },
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
    },
    stackTags: new Map(),
    isType: () => false,
    asType: () => undefined,
    getConfig: <T extends object>() => config as T,
    notApplicable: (reason) => {
      throw new NotApplicable(reason);
    },
  };
}
