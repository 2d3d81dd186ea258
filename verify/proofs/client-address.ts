import { whyNotDsr } from "../load-balancer.ts";
import { type Exchange, exchanges } from "../probe/exchange.ts";
import { expectNothing, notProved, type Proof } from "../proof.ts";

/** The client's address in the SYN that reached the ingress node; undefined where none did. */
function sender({ atIngress, service }: Exchange): string | undefined {
  for (const line of atIngress) {
    const [, from] = line.match(/ (\S+)\.\d+ > (\S+): /) ?? [];
    if (from !== undefined && line.includes(` > ${service}: `)) return from;
  }
  return undefined;
}

/** Addresses in one form: socat writes IPv6 in full and in brackets. */
export function normal(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  if (!bare.includes(":")) return bare;
  return new URL(`http://[${bare}]/`).hostname;
}

export const clientAddressProof: Proof = {
  promise: "A backend sees its client's own address",
  proof:
    "the address that the backend of those requests was called from, against the one in the packets that reached the ingress node",
  fix: "look for address translation on the way to the nodes: `oslo-cluster debug STACK node NODE -- tcpdump -ni any port PORT`",
  limitSeconds: 110,
  async prove(cluster) {
    const without = await whyNotDsr(cluster);
    if (without !== undefined) return without;
    const result = await exchanges(cluster);
    if ("none" in result) return notProved(result.none);
    const found = result.all.flatMap((exchange) => {
      const { ingress, address, seen } = exchange;
      const client = sender(exchange);
      if (seen === undefined || client === undefined) return [`${address} (${ingress}): no answer`];
      return normal(seen) === normal(client)
        ? []
        : [`${address} (${ingress}): the backend saw ${normal(seen)}, the client is ${client}`];
    });
    const clients = new Set(result.all.map((one) => sender(one)));
    return expectNothing(found, `${result.all.length} exchanges: ${[...clients].join(", ")} seen`);
  },
};
