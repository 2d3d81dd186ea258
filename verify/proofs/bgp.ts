import { canonical } from "../../config/cidr.ts";
import type { Config } from "../../config/config.ts";
import { agentFunction, type Cluster, type NodeObject, nodeObjects } from "../cluster.ts";
import { type AddressService, addressServices } from "../probe/addresses.ts";
import { expectNothing, fail, notEnabled, notProved, type Proof } from "../proof.ts";
import { selects } from "../selector.ts";
import { askUntil } from "../time.ts";

/** A session that has just been configured may need that long, in seconds; and a route in it. */
const sessionSeconds = 40;
const routeSeconds = 20;

export const bgpProof: Proof = {
  promise: "Routers have a BGP session with every node that is to have one, and get its routes",
  proof:
    "cilium-dbg bgp peers in the agent of every selected node: each session of the stack is established; cilium-dbg bgp routes advertised: each router gets something, and of what the stack advertises the node's pod subnets and the addresses of those services",
  fix: "compare cilium.bgpControlPlane with the router's own configuration (addresses, ASN, password): `cilium-dbg bgp peers` in the node's agent names the state of each session",
  limitSeconds: 110,
  async prove(cluster) {
    const { enabled, nodeSelector, peers } = cluster.config.cilium.bgpControlPlane;
    if (!enabled) return notEnabled("cilium.bgpControlPlane.enabled is false");
    // A node that is not of the stack is another promise's matter: it cannot be asked.
    const nodes = (await nodeObjects(cluster)).filter(
      ({ metadata: { name, labels = {} } }) =>
        cluster.nodes.includes(name) && selects(nodeSelector, labels),
    );
    if (nodes.length === 0) return fail("cilium.bgpControlPlane.nodeSelector selects no node");
    const services = await addressServices(cluster);
    const results = await Promise.all(nodes.map((node) => advertisedBy(cluster, node, services)));
    const faults = results.flatMap(({ faults }) => faults);
    const silent = results.filter(({ routes, faults }) => routes === 0 && faults.length === 0);
    if (faults.length === 0 && silent.length > 0) {
      return notProved(
        `${nodes.length * peers.length} sessions established, in which nothing is advertised: no service that cilium.bgpControlPlane.advertisements select has an address`,
      );
    }
    const counts = results.map(({ routes }) => routes);
    return expectNothing(
      faults,
      `${nodes.length * peers.length} sessions of ${nodes.length} nodes established; routes advertised in each: ${Math.min(...counts)} to ${Math.max(...counts)}`,
    );
  },
};

/** As an agent of Cilium prints them; what is zero or empty it leaves out. */
interface Session {
  "peer-address"?: string;
  "peer-asn"?: number;
  "session-state"?: string;
}
interface Route {
  neighbor?: string;
  prefix?: string;
}

/** What is wrong with a node's sessions, and how many routes the router hears that hears fewest. */
async function advertisedBy(
  cluster: Cluster,
  node: NodeObject,
  services: readonly AddressService[],
): Promise<{ faults: string[]; routes: number }> {
  const { name } = node.metadata;
  const { peers } = cluster.config.cilium.bgpControlPlane;
  const down = await askUntil(isEmpty, sessionSeconds, cluster.signal, async () =>
    notEstablished(await sessionsOf(cluster, name), peers).map((fault) => `${name}: ${fault}`),
  );
  if (down.length > 0) return { faults: down, routes: 0 };

  const wanted = wantedRoutes(cluster.config, node, services);
  const ask = async () => {
    const routes = await routesOf(cluster, name);
    return peers.map((peer) => {
      const heard = routes
        .filter(({ neighbor }) => isSame(neighbor, peer.peerAddress))
        .map(({ prefix }) => canonical(prefix ?? ""));
      const missing = wanted.filter((prefix) => !heard.includes(prefix));
      return { peer: peer.name, heard: heard.length, missing };
    });
  };
  const isTold = (all: Awaited<ReturnType<typeof ask>>) =>
    all.every(({ heard, missing }) => heard > 0 && missing.length === 0);
  const answers = await askUntil(isTold, routeSeconds, cluster.signal, ask);
  return {
    faults: answers
      .filter(({ missing }) => missing.length > 0)
      .map(({ peer, missing }) => `${name}: ${peer} does not get ${missing.join(", ")}`),
    routes: Math.min(...answers.map(({ heard }) => heard)),
  };
}

type Peers = Config["cilium"]["bgpControlPlane"]["peers"];

function notEstablished(sessions: readonly Session[], peers: Peers): string[] {
  return peers.flatMap(({ name, peerAddress, peerASN }) => {
    const session = sessions.find(
      (one) => isSame(one["peer-address"], peerAddress) && one["peer-asn"] === peerASN,
    );
    const state = session?.["session-state"];
    if (state === "established") return [];
    const what = `${name} (${peerAddress}, AS ${peerASN})`;
    return session
      ? [`the session with ${what} is ${state ?? "unknown"}`]
      : [`no session with ${what}`];
  });
}

/** What the node must tell, as far as we know it: more may be advertised, of services that are not ours. */
function wantedRoutes(
  { cilium }: Config,
  { spec }: NodeObject,
  services: readonly AddressService[],
): string[] {
  const { advertisements: written } = cilium.bgpControlPlane;
  // Without a word of the stack's file, addresses of all services.
  const advertisements: readonly Partial<(typeof written)[number]>[] =
    written.length > 0 ? written : [{}];
  const routes = advertisements.flatMap(
    ({ advertisementType = "Service", addresses = ["LoadBalancerIP"], selector }) => {
      if (advertisementType === "PodCIDR") return spec.podCIDRs ?? [];
      return services
        .filter(({ labels }) => selects(selector, labels))
        .flatMap((service) => [
          ...(addresses.includes("LoadBalancerIP") ? service.addresses : []),
          ...(addresses.includes("ClusterIP") ? service.clusterAddresses : []),
        ])
        .map((address) => `${address}/${address.includes(":") ? 128 : 32}`);
    },
  );
  return [...new Set(routes.map(canonical))];
}

async function sessionsOf({ onNode }: Cluster, node: string): Promise<Session[]> {
  const output = await onNode(node, `${agentFunction}agent cilium-dbg bgp peers -o json`);
  return (JSON.parse(output) as Session[] | null) ?? [];
}

async function routesOf({ onNode, config }: Cluster, node: string): Promise<Route[]> {
  const ask = (family: 4 | 6) =>
    `ipv${family}=$(agent cilium-dbg bgp routes advertised ipv${family} unicast -o json)`;
  const { families } = config.network;
  const output = await onNode(
    node,
    `set -e
${agentFunction}${families.map(ask).join("\n")}
echo "[${families.map((family) => `$ipv${family}`).join(",")}]"`,
  );
  return (JSON.parse(output) as (Route[] | null)[]).flatMap((routes) => routes ?? []);
}

const isEmpty = (list: readonly unknown[]) => list.length === 0;

function isSame(one: string | undefined, other: string): boolean {
  return one !== undefined && canonical(one) === canonical(other);
}
