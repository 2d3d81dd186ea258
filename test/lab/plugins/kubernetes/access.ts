import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Values } from "../protocol/values.ts";
import { open } from "../protocol/values.ts";

const truth = z.union([
  z.boolean(),
  z.enum(["true", "false"]).transform((text) => text === "true"),
]);

const ProviderInputs = z.looseObject({
  /** Its content, or its path. */
  kubeconfig: z.string(),
  context: z.string().optional(),
  namespace: z.string().optional(),
  enableServerSideApply: truth.default(true),
  upsertExistingObjects: truth.default(false),
  enablePatchForce: truth.default(false),
});

/** How kubectl and helm reach the cluster of a provider. */
export interface Access {
  /** Path of the kubeconfig. */
  kubeconfig: string;
  contextName: string | undefined;
  /** The namespace of what names none. */
  namespace: string | undefined;
  /** Objects that are there already are taken up; otherwise their creation fails. */
  upsert: boolean;
  /** Takes fields that others have written, where an object does not say. */
  force: boolean;
  /** Files of this process. */
  directory: string;
}

/** @throws for a provider that applies on the client's side, which the plugin does not. */
export function accessOf(values: Values): Access {
  const inputs = ProviderInputs.parse(open(values));
  if (!inputs.enableServerSideApply)
    throw new Error("enableServerSideApply: false is not in the lab's plugin");
  const directory = mkdtempSync(join(tmpdir(), "kubernetes-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const { kubeconfig, context, namespace, upsertExistingObjects, enablePatchForce } = inputs;
  return {
    kubeconfig: isContent(kubeconfig) ? written(directory, kubeconfig) : kubeconfig,
    contextName: context,
    namespace,
    upsert: upsertExistingObjects,
    force: enablePatchForce,
    directory,
  };
}

/** @param kubeconfig the content itself, or its path */
export function contentOf(kubeconfig: string): string {
  return isContent(kubeconfig) ? kubeconfig : readFileSync(kubeconfig, "utf8");
}

function isContent(kubeconfig: string): boolean {
  return /[\n{]/.test(kubeconfig);
}

function written(directory: string, kubeconfig: string): string {
  const file = join(directory, "kubeconfig");
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  return file;
}
