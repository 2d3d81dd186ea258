import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { makeEnvoy } from "../../lab/artifacts/envoy.ts";
import { waitFor } from "../../lab/shell.ts";
import { freePorts, listens } from "../ports.ts";
import type { Certificate, Resource } from "./operator.ts";

export interface Envoy {
  port: number;
  stop(): Promise<void>;
}

type Endpoints = (service: string) => number | undefined;

/**
 * Upstream's Envoy with what Cilium's operator has written of one gateway.
 *
 * @param endpoints namespace/name:port of a service → port of its backend on the loopback interface
 * @throws with Envoy's own words, if it does not take that
 */
export async function startEnvoy(
  resources: readonly Resource[],
  certificates: readonly Certificate[],
  endpoints: Endpoints,
): Promise<Envoy> {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), "envoy-"));
  const file = join(folder, "envoy.json");
  const content = { staticResources: staticResources(resources, certificates, port, endpoints) };
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  const child = execa(
    await makeEnvoy(),
    ["--config-path", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"],
    { reject: false, all: true, stdin: "ignore", cleanup: true },
  );
  const stop = async () => {
    child.kill();
    await child;
    rmSync(folder, { recursive: true });
  };
  try {
    await waitFor("Envoy to listen", 120, async () => {
      if (child.exitCode !== null) throw new Error(`Envoy ended: ${(await child).all}`);
      return listens(port);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop };
}

/**
 * The operator's resources, whole but for what Cilium's agent answers for on a node: the address on
 * which a listener listens, routes and certificates by name, and the endpoints of services. The agent
 * adds Cilium's own filters there; the operator's resources have none.
 */
function staticResources(
  resources: readonly Resource[],
  certificates: readonly Certificate[],
  portValue: number,
  endpoints: Endpoints,
) {
  const of = (type: string) =>
    resources
      .filter((one) => one["@type"].endsWith(`.${type}`))
      .map(({ "@type": _, ...one }) => one as { name: string } & Record<string, unknown>);
  const routes = Object.fromEntries(of("RouteConfiguration").map((one) => [one.name, one]));
  const listeners = of("Listener").map(({ additionalAddresses: _, ...listener }) => ({
    ...(withRoutes(listener, routes) as object),
    address: socket(portValue),
  }));
  const clusters = of("Cluster").map(({ edsClusterConfig, ...cluster }) => {
    const { serviceName } = edsClusterConfig as { serviceName: string };
    const port = endpoints(serviceName);
    const lbEndpoints = port === undefined ? [] : [{ endpoint: { address: socket(port) } }];
    const loadAssignment = { clusterName: cluster.name, endpoints: [{ lbEndpoints }] };
    return { ...cluster, type: "STATIC", loadAssignment };
  });
  const secrets = certificates.map(({ name, data }) => ({
    name,
    tlsCertificate: {
      certificateChain: { inlineBytes: data["tls.crt"] },
      privateKey: { inlineBytes: data["tls.key"] },
    },
  }));
  return { listeners, clusters, secrets };
}

const socket = (portValue: number) => ({ socketAddress: { address: "127.0.0.1", portValue } });

/** Each `rds` becomes the configuration that it names. */
function withRoutes(value: unknown, routes: Record<string, object>): unknown {
  if (Array.isArray(value)) return value.map((item) => withRoutes(item, routes));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) =>
      key === "rds"
        ? ["routeConfig", routes[(child as { routeConfigName: string }).routeConfigName]]
        : [key, withRoutes(child, routes)],
    ),
  );
}
