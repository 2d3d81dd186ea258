import { whyNotDsr } from "../load-balancer.ts";
import { exchanges } from "../probe/exchange.ts";
import { expectNothing, notProved, type Proof } from "../proof.ts";

/** Addresses in one form: socat writes IPv6 in full, and brackets come and go. */
export function normal(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  if (!bare.includes(":")) return bare;
  return new URL(`http://[${bare}]/`).hostname;
}

export const clientAddressProof: Proof = {
  promise: "A backend sees its client's own address",
  proof:
    "the address that the backend of those requests was called from, against the one in the packets that reached the ingress node, or in its load balancer's table of connections where XDP takes packets before they can be seen",
  fix: "look for address translation on the way to the nodes: `oslo-cluster debug STACK node NODE -- tcpdump -ni any port PORT`",
  limitSeconds: 110,
  async prove(cluster) {
    const without = await whyNotDsr(cluster);
    if (without !== undefined) return without;
    const result = await exchanges(cluster);
    if ("none" in result) return notProved(result.none);
    const found = result.all.flatMap((exchange) => {
      const { ingress, address, seen, client } = exchange;
      if (seen === undefined || client === undefined) return [`${address} (${ingress}): no answer`];
      return normal(seen) === normal(client)
        ? []
        : [`${address} (${ingress}): the backend saw ${normal(seen)}, the client is ${client}`];
    });
    const clients = new Set(result.all.map(({ client }) => client && normal(client)));
    return expectNothing(found, `${result.all.length} exchanges: ${[...clients].join(", ")} seen`);
  },
};
