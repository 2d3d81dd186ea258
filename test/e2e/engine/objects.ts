import * as command from "@pulumi/command";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Manifest } from "../../../plan/manifest.ts";

/** What program.ts puts into a cluster. */
export interface DescribedCluster {
  provider: kubernetes.ProviderArgs;
  /** Its kubeconfig is what this command prints. */
  kubeconfigFrom?: string;
  objects?: DescribedObject[];
  release?: kubernetes.helm.v3.ReleaseArgs & { secretValues?: Record<string, unknown> };
}

/** Objects are made by the names of their manifests, one after the other. */
export interface DescribedObject {
  manifest: Manifest;
  /** Fields at the top that are secrets. */
  secret?: Record<string, unknown>;
  /** Name of a command that comes first. */
  after?: string;
  /** Or this name. */
  name?: string;
}

class KubernetesObject extends pulumi.CustomResource {}

export function makeCluster(
  { provider: args, kubeconfigFrom, objects = [], release }: DescribedCluster,
  commands: Record<string, pulumi.Resource>,
): void {
  const source = kubeconfigFrom === undefined ? undefined : commands[kubeconfigFrom];
  const from = source instanceof command.local.Command ? { kubeconfig: source.stdout } : {};
  const provider = new kubernetes.Provider("cluster", { ...args, ...from });
  let last: pulumi.Resource[] = [];
  for (const { manifest, secret, after, name = manifest.metadata.name } of objects) {
    const { apiVersion, kind } = manifest;
    const type = `kubernetes:${apiVersion.includes("/") ? "" : "core/"}${apiVersion}:${kind}`;
    const before = after === undefined ? undefined : commands[after];
    const dependsOn = [...last, ...(before ? [before] : [])];
    const inputs = { ...manifest, ...hidden(secret) };
    last = [new KubernetesObject(type, name, inputs, { provider, dependsOn })];
  }
  if (!release) return;
  const { secretValues, values, ...rest } = release;
  new kubernetes.helm.v3.Release(
    rest.name as string,
    { ...rest, values: { ...(values as object), ...hidden(secretValues) } },
    { provider, dependsOn: last },
  );
}

function hidden(fields: Record<string, unknown> = {}): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]) => [key, pulumi.secret(value)]);
  return Object.fromEntries(entries);
}
