import { localCommand, remoteCommand } from "./command.ts";
import { helmRelease } from "./helm.ts";
import { providerResource } from "./kubeconfig.ts";
import { kubernetesObject } from "./kubernetes.ts";
import type { Provider } from "./provider.ts";
import { randomProvider } from "./random.ts";

/**
 * What executes resources of a type.
 *
 * @throws Error for a type that the lab's runner does not know.
 */
export function providerFor(type: string): Provider {
  const provider = find(type);
  if (provider) return provider;
  throw new Error(
    `The lab's runner has no provider for ${type}; add one under lab/runner/providers.`,
  );
}

function find(type: string): Provider | undefined {
  if (type === "command:remote:Command") return remoteCommand;
  if (type === "command:local:Command") return localCommand;
  if (type === "kubernetes:helm.sh/v3:Release") return helmRelease;
  if (type.startsWith("kubernetes:")) return kubernetesObject;
  if (type.startsWith("pulumi:providers:")) return providerResource;
  return randomProvider(type);
}
