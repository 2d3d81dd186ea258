import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Config } from "../../../config/config.ts";
import { allGateways, allRoutes } from "../../../config/gateways.ts";
import type { Manifest } from "../../../plan/manifest.ts";
import type { Mutation } from "./mutations.ts";

/** Every service that a stack's routes lead to, namespace/name:port. */
export function servicesOf({ gatewayApi }: Config): string[] {
  const all = allRoutes(gatewayApi).flatMap(({ namespace, rules }) =>
    rules.flatMap(({ backends }) =>
      backends.map((one) => `${one.namespace ?? namespace}/${one.name}:${one.port}`),
    ),
  );
  return [...new Set(all)];
}

/** What a stack's gateways and routes expect to be there: services, certificates, namespaces first. */
export async function surroundings(
  config: Config,
  objects: readonly Manifest[],
): Promise<Manifest[]> {
  const services = servicesOf(config).map(service);
  const certificates = await Promise.all(certificateNames(config).map(certificate));
  const namespaces = new Set(
    [...objects, ...services, ...certificates].map(({ metadata }) => metadata.namespace as string),
  );
  return [...[...namespaces, "cilium-secrets"].map(namespace), ...services, ...certificates];
}

/** The objects of a stack that mutations change, changed; those that they take away are not among them. */
export function changed(
  objects: readonly Manifest[],
  mutations: readonly Mutation[],
): { altered: Manifest[]; removed: Mutation[] } {
  const altered = mutations.flatMap(({ kind, namespace, name, change }) => {
    if (change === undefined) return [];
    const object = structuredClone(
      objects.find(
        ({ kind: is, metadata }) =>
          is === kind && metadata.namespace === namespace && metadata.name === name,
      ),
    ) as Manifest & { spec: Parameters<typeof change>[0] };
    change(object.spec);
    return [object];
  });
  return { altered, removed: mutations.filter(({ change }) => change === undefined) };
}

function certificateNames({ gatewayApi }: Config) {
  return allGateways(gatewayApi).flatMap(({ namespace, listeners }) =>
    listeners.flatMap(({ certificateRefs }) =>
      certificateRefs.map((one) => ({ name: one.name, namespace: one.namespace ?? namespace })),
    ),
  );
}

const namespace = (name: string): Manifest => ({
  ...{ apiVersion: "v1", kind: "Namespace", metadata: { name } },
});

function service(key: string): Manifest {
  const [, namespace = "", name = "", port] = /^(.+)\/(.+):(.+)$/.exec(key) ?? [];
  return {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace } },
    spec: { selector: { app: name }, ports: [{ port: Number(port) }] },
  };
}

/** Signed by itself, with the Secret's name for its subject. */
async function certificate(metadata: { name: string; namespace: string }): Promise<Manifest> {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  await execa(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"],
      ...["-subj", `/CN=${metadata.name}`, "-keyout", "tls.key", "-out", "tls.crt"],
    ],
    { cwd: folder },
  );
  const data = Object.fromEntries(
    ["tls.key", "tls.crt"].map((file) => [file, readFileSync(join(folder, file), "base64")]),
  );
  rmSync(folder, { recursive: true });
  return { apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", metadata, data };
}
