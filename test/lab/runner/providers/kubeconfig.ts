import { createHash, randomUUID } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Context, Provider } from "./provider.ts";

/** `pulumi:providers:*`: only its inputs matter, to the resources that use it. */
export const providerResource: Provider = {
  replaces: () => false,
  create: async () => ({ id: randomUUID(), outputs: {} }),
  update: async (old) => old.outputs,
  delete: async () => {},
};

const ProviderInputs = z.looseObject({
  kubeconfig: z.string("missing; give the Kubernetes provider a kubeconfig"),
  context: z.string().optional(),
  namespace: z.string().optional(),
});

/** How kubectl and helm reach the cluster of a resource's provider. */
export interface Access {
  /** Path of the kubeconfig. */
  file: string;
  contextName: string | undefined;
  /** The namespace of objects that name none. */
  namespace: string | undefined;
}

/**
 * The access that a resource's explicit provider describes.
 *
 * @throws Error without an explicit provider: the machine's own kubeconfig is never used.
 */
export function accessTo({ name, provider, scratch }: Context): Access {
  if (!provider) throw new Error(`${name} has no provider; pass one in its resource options.`);
  const { kubeconfig, context, namespace } = ProviderInputs.parse(provider);
  return { file: asFile(kubeconfig, scratch), contextName: context, namespace };
}

/** A kubeconfig is given as its content or its path, as the provider takes it. */
function asFile(kubeconfig: string, scratch: string): string {
  if (!/[\n{]/.test(kubeconfig)) return kubeconfig;
  const digest = createHash("sha256").update(kubeconfig).digest("hex").slice(0, 16);
  const file = join(scratch, `kubeconfig-${digest}`);
  // Whole at once: a program of another resource may be reading it.
  writeFileSync(`${file}.new`, kubeconfig, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}
