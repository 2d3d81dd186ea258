import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Config } from "../../../config/config.ts";
import { ciliumValues } from "../../../plan/cilium.ts";
import type { Manifest } from "../../../plan/manifest.ts";
import { build } from "../../lab/artifacts/build.ts";
import { findGo } from "../../lab/artifacts/go.ts";
import { recipes } from "../../lab/artifacts/recipes.ts";
import { Progress } from "../../lab/progress.ts";
import type { ApiServer } from "../api-server.ts";
import { object, template } from "../chart.ts";
import { freePorts } from "../ports.ts";
import { realTools } from "../tools.ts";

export interface Operator {
  /** Image of Cilium's own Envoy, as the chart names it. */
  envoyImage: string;
  /** @throws with what it said, if it has ended by itself */
  stop(): Promise<void>;
}

/**
 * Cilium's operator beside an API server, with the options that the real chart gives it for this
 * configuration; the chart's GatewayClass is made.
 */
export async function startOperator(server: ApiServer, config: Config): Promise<Operator> {
  const { stdout } = await template(
    await realTools(),
    ciliumValues(config),
    config.kubernetes.version,
  );
  await server.kubectl(["apply"], [object(stdout, "GatewayClass", "cilium") as Manifest]);
  const envoy = object(stdout, "DaemonSet", "cilium-envoy");
  const { directory } = await build(await findGo(), recipes.ciliumOperator, new Progress());
  const folder = mkdtempSync(join(tmpdir(), "operator-"));
  const options = join(folder, "config-map");
  mkdirSync(options);
  const { data } = object(stdout, "ConfigMap", "cilium-config") as { data: Record<string, string> };
  for (const [name, value] of Object.entries(data)) writeFileSync(join(options, name), value);
  const [api, metrics, gops] = await freePorts(3);
  const child = execa(
    join(directory, "cilium-operator-generic"),
    [
      ...[`--config-dir=${options}`, `--k8s-kubeconfig-path=${server.kubeconfig}`],
      ...[`--operator-api-serve-addr=127.0.0.1:${api}`, `--gops-port=${gops}`],
      `--operator-prometheus-serve-addr=127.0.0.1:${metrics}`,
      `--shell-sock-path=${join(folder, "shell.sock")}`,
      // They are there; it alone is asked to lead, however busy the machine is.
      "--skip-crd-creation",
      ...["--leader-election-lease-duration=600s", "--leader-election-renew-deadline=500s"],
    ],
    {
      env: { K8S_NODE_NAME: "node", CILIUM_K8S_NAMESPACE: "kube-system" },
      ...{ reject: false, all: true, stdin: "ignore", cleanup: true },
    },
  );
  return {
    envoyImage: envoy.spec.template.spec.containers[0].image,
    async stop() {
      const ended = child.exitCode !== null;
      child.kill();
      const { all } = await child;
      rmSync(folder, { recursive: true });
      if (ended) throw new Error(`Cilium's operator ended: ${all.slice(-2000)}`);
    },
  };
}

/** A resource of Envoy's, as a CiliumEnvoyConfig has it. */
export type Resource = { "@type": string; name: string } & Record<string, unknown>;

/** What the operator has written of a gateway. */
export interface Written {
  /** namespace/name of the gateway. */
  gateway: string;
  resources: Resource[];
  /** Of the gateway's service, whose connections the agents lead to the listener, or of the nodes. */
  ports: number[];
}

/** A certificate that the operator has copied to where agents may read it. */
export interface Certificate {
  name: string;
  data: Record<string, string>;
}

/** The CiliumEnvoyConfig of each gateway, and their certificates. */
export async function written(
  server: ApiServer,
): Promise<{ gateways: Written[]; certificates: Certificate[] }> {
  const list = JSON.parse(
    await server.kubectl(["get", "ciliumenvoyconfigs,secrets", "--all-namespaces", "-o", "json"]),
  ) as { items: (Manifest & { data: Record<string, string>; spec: EnvoyConfigSpec })[] };
  const gateways = list.items
    .filter(({ kind }) => kind === "CiliumEnvoyConfig")
    .map(({ metadata, spec }) => ({
      gateway: `${metadata.namespace}/${metadata.name.replace("cilium-gateway-", "")}`,
      resources: spec.resources,
      ports: [...new Set([...servicePorts(spec), ...nodePorts(spec)])],
    }));
  const certificates = list.items
    .filter(({ kind, metadata }) => kind === "Secret" && metadata.namespace === "cilium-secrets")
    .map(({ metadata, data }) => ({ name: `${metadata.namespace}/${metadata.name}`, data }));
  return { gateways, certificates };
}

interface EnvoyConfigSpec {
  resources: Resource[];
  services?: { ports: number[] }[];
}

function servicePorts({ services = [] }: EnvoyConfigSpec): number[] {
  return services.flatMap(({ ports }) => ports);
}

interface Address {
  socketAddress: { portValue: number };
}
interface Listener {
  address?: Address;
  additionalAddresses?: { address: Address }[];
}

/** With exposure hostNetwork, those on which Envoy itself listens. */
function nodePorts({ resources }: EnvoyConfigSpec): number[] {
  const listeners = resources.filter((one) => one["@type"].endsWith(".Listener")) as Listener[];
  return listeners
    .flatMap(({ address, additionalAddresses = [] }) => [
      ...(address ? [address] : []),
      ...additionalAddresses.map((one) => one.address),
    ])
    .map(({ socketAddress }) => socketAddress.portValue);
}
