import { agentFunction, type Cluster, reasonOf } from "../cluster.ts";
import { askUntil } from "../time.ts";
import type { Client } from "../transport.ts";
import { captureScript, packets, readScript } from "./capture.ts";
import { namespace } from "./namespace.ts";
import { peerOf, ports, probeOn, probes } from "./pods.ts";

/** A request from outside to one node, for a service whose only backend runs on another, with what both nodes saw. */
export interface Exchange {
  ingress: string;
  backend: string;
  /** The ingress node's address that was asked. */
  address: string;
  /** The client's address as the backend saw it; undefined where no answer came. */
  seen: string | undefined;
  /** The client's address as the ingress node saw it; undefined where nothing reached that. */
  client: string | undefined;
  /** Packets as tcpdump prints them, a line each. */
  atIngress: string[];
  atBackend: string[];
  /** host and port of the service as tcpdump prints them. */
  service: string;
}

/** A NodePort service per node, whose only backend is that node's probe pod. */
export interface Service {
  backend: string;
  tcp: number;
  udp: number;
}

/** What could be exchanged, or why nothing could. */
export type Exchanges = { client: string; all: Exchange[] } | { none: string };

export function services(cluster: Cluster): Promise<Service[]> {
  return cluster.once("services", async (cluster) => {
    await probes(cluster);
    const families = cluster.config.network.podSubnets.length;
    await cluster.apply(
      cluster.nodes.map((node) => ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: `probe-${node}`, namespace, labels: { "verify-service": "node-port" } },
        spec: {
          type: "NodePort",
          selector: { "verify-node": node },
          ipFamilyPolicy: families > 1 ? "RequireDualStack" : "SingleStack",
          ports: [
            { name: "tcp", port: ports.tcp },
            { name: "udp", port: ports.udp, protocol: "UDP" },
            { name: "http", port: ports.http },
          ],
        },
      })),
    );
    const { items } = JSON.parse(
      await cluster.kubectl(
        ...["-n", namespace, "get", "services", "-l", "verify-service=node-port", "-o", "json"],
      ),
    ) as {
      items: {
        spec: { selector: Record<string, string>; ports: { name: string; nodePort: number }[] };
      }[];
    };
    return items.map(({ spec }) => {
      const port = (name: string) => spec.ports.find((one) => one.name === name)?.nodePort ?? 0;
      return { backend: spec.selector["verify-node"] ?? "", tcp: port("tcp"), udp: port("udp") };
    });
  });
}

/** The first client outside the cluster that reaches the nodes' own addresses; what each lacks otherwise. */
export function outsideClient(cluster: Cluster): Promise<Client | string> {
  return cluster.once("client", async (cluster) => {
    const address = cluster.plan.nodes[0]?.addresses[0] ?? "";
    const { port } = cluster.plan.nodes[0]?.reach ?? { port: 22 };
    const failures: string[] = [];
    for (const client of cluster.clients) {
      const script = `${limited}limited 5 bash -c 'exec 3<>/dev/tcp/${address}/${port}'`;
      try {
        await client.run(script, cluster.signal);
        return client;
      } catch (error) {
        failures.push(`${client.name}: ${reasonOf(error).split("\n").at(-1)}`);
      }
    }
    return `nothing outside the cluster reaches ${address} (${failures.join("; ")}): run verify from a machine on the VLAN`;
  });
}

/** Shell function `limited SECONDS COMMAND…`, where there may be no timeout(1). */
export const limited = `limited() { perl -e 'alarm shift; exec @ARGV' "$@"; }
`;

/**
 * An agent may take that long to know a service, in seconds; until then it refuses. What is dropped takes longer and is
 * asked once.
 */
export const knownSeconds = 7;

/** An exchange per node and family, the node as ingress and the next one as backend. */
export function exchanges(cluster: Cluster): Promise<Exchanges> {
  return cluster.once("exchanges", async (cluster) => {
    if (cluster.nodes.length < 2) return { none: "the cluster has one node" };
    const client = await outsideClient(cluster);
    if (typeof client === "string") return { none: client };
    const all = await services(cluster);
    const pairs = cluster.plan.nodes.flatMap(({ name, addresses }) =>
      addresses.map((address) => ({ name, address, backend: peerOf(cluster.nodes, name) })),
    );
    return {
      client: client.name,
      all: await Promise.all(
        pairs.map(({ name, address, backend }) => {
          const port = all.find((service) => service.backend === backend)?.tcp ?? 0;
          return askUntil(
            ({ seen }) => seen !== undefined,
            knownSeconds,
            cluster.signal,
            () => exchange(cluster, client, { ingress: name, address, backend, port }),
          );
        }),
      ),
    };
  });
}

async function exchange(
  cluster: Cluster,
  from: Client,
  {
    ingress,
    address,
    backend,
    port,
  }: { ingress: string; address: string; backend: string; port: number },
): Promise<Exchange> {
  const family = address.includes(":") ? 6 : 4;
  const pod = probeOn(await probes(cluster), backend).addresses.find(
    (one) => one.includes(":") === (family === 6),
  );
  // Named by the service's port and the family: no two captures on a node are alike.
  const name = `capture-${port}-${family}`;
  const filter = `(host ${address} and tcp port ${port}) or (dst host ${pod})`;
  const start = captureScript(name, cluster.config.network.vlan.interface, filter);
  await Promise.all([ingress, backend].map((node) => cluster.onNode(node, start)));
  const seen = await from
    .run(
      `${limited}limited 10 bash -c 'exec 3<>/dev/tcp/${address}/${port} && read -r line <&3 && echo "$line"'`,
      cluster.signal,
    )
    .then((line) => line.trim() || undefined)
    .catch(() => undefined);
  const [atIngress = [], atBackend = []] = await Promise.all(
    [ingress, backend].map(async (node) => packets(await cluster.onNode(node, readScript(name)))),
  );
  const service = `${address}.${port}`;
  const client =
    sender(atIngress, service) ??
    (await cluster.onNode(ingress, connectionScript(address, port))).match(
      / SVC (\S+):\d+ -> /,
    )?.[1];
  return { ingress, backend, address, seen, client, atIngress, atBackend, service };
}

/** Of the SYN that tcpdump saw. */
function sender(packets: readonly string[], service: string): string | undefined {
  for (const line of packets) {
    const [, from] = line.match(/ (\S+)\.\d+ > (\S+): /) ?? [];
    if (from !== undefined && line.includes(` > ${service}: `)) return from;
  }
  return undefined;
}

/**
 * XDP takes a packet before tcpdump sees it; the load balancer's table of connections has it all the same. It may
 * have half a million lines: those of the service alone leave the node.
 */
const connectionScript = (address: string, port: number) => `set -o pipefail
${agentFunction}
agent cilium-dbg bpf ct list global | awk 'index($0, " -> ${address}:${port} ")'`;
