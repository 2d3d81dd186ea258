import { knownSeconds, limited, outsideClient, services } from "../probe/exchange.ts";
import { peerOf } from "../probe/pods.ts";
import { expectNothing, notProved, type Proof } from "../proof.ts";
import { askUntil } from "../time.ts";

/** Headers of a datagram in bytes: IPv4 or IPv6, and UDP. */
const headers = (address: string) => (address.includes(":") ? 48 : 28);

/** Sends datagrams until one comes back whole; the first may only teach the client the path's MTU. */
const script = (address: string, port: number, bytes: number) => `${limited}
exec 3<>/dev/udp/${address}/${port}
for try in 1 2 3 4; do
  dd if=/dev/zero bs=${bytes} count=1 status=none >&3 2>/dev/null || continue
  got=$(limited 2 dd bs=65535 count=1 status=none <&3 2>/dev/null | wc -c | tr -d ' ')
  if [ "$got" = ${bytes} ]; then echo "$try"; exit; fi
done
echo lost`;

export const datagramsProof: Proof = {
  promise:
    "A full-size UDP datagram to a service reaches a backend on another node, and its answer returns",
  proof:
    "datagrams of network.mtu bytes from outside to a NodePort of each node, its only backend on the next, per family, echoed whole; DSR's option makes them too long, so that the path's MTU must be reported to the client",
  fix: "a link between the nodes is smaller than network.mtu: set that, or raise the link's",
  limitSeconds: 110,
  async prove(cluster) {
    const { mtu } = cluster.config.network;
    if (cluster.nodes.length < 2) return notProved("the cluster has one node");
    const client = await outsideClient(cluster);
    if (typeof client === "string") return notProved(client);
    const all = await services(cluster);
    const answers = await Promise.all(
      cluster.plan.nodes.flatMap(({ name, addresses }) => {
        const backend = peerOf(cluster.nodes, name);
        const port = all.find((service) => service.backend === backend)?.udp ?? 0;
        return addresses.map(async (address) => {
          const ask = async (bytes: number) =>
            (await client.run(script(address, port, bytes), cluster.signal)).trim();
          const small = await askUntil(
            (tries) => tries !== "lost",
            knownSeconds,
            cluster.signal,
            () => ask(512),
          );
          const tries = small === "lost" ? "lost" : await ask(mtu - headers(address));
          // What DSR's option leaves of the path: it takes 8 bytes, 24 with IPv6.
          const left = mtu - (address.includes(":") ? 24 : 8);
          const passes =
            tries === "lost" && (await ask(left - headers(address))) !== "lost" ? left : 512;
          return { name, address, small, tries, passes };
        });
      }),
    );
    const found = answers.flatMap(({ name, address, small, tries, passes }) => {
      if (small === "lost") return [`${address} (${name}): not even 512 bytes are answered`];
      return tries === "lost"
        ? [
            `${address} (${name}): ${passes} bytes are answered, ${mtu} are lost, and nobody tells the client: set pmtuDiscovery.enabled in cilium.values, or cilium.loadBalancer.mode to hybrid`,
          ]
        : [];
    });
    const again = answers.filter(({ tries }) => tries !== "1").length;
    return expectNothing(
      found,
      `${answers.length} paths of ${mtu} bytes from ${client.name}; ${again} only after the client had learnt the path's MTU`,
    );
  },
};
