import { whyNotDsr } from "../load-balancer.ts";
import { type Exchange, exchanges } from "../probe/exchange.ts";
import { expectNothing, notProved, type Proof } from "../proof.ts";

/** What tcpdump prints where the service's address travels with a SYN, by dispatch and family. */
const marks = {
  // 154 is 0x9a; the IPv6 option is a destination option of its own.
  opt: { 4: /options \(unknown 154/, 6: /DSTOPT/ },
  ipip: { 4: /IP(IP|-IP)|proto IPIP/, 6: /next-header (IPv6|IPIP)/ },
} as const;

/** What is wrong with one exchange. */
export function dsrFaults(exchange: Exchange, dispatch: keyof typeof marks): string[] {
  const { ingress, backend, address, seen, service } = exchange;
  const path = `${address} (${ingress}, backend on ${backend})`;
  const from = ` ${service} > `;
  const fromBackend = exchange.atBackend.filter((line) => line.includes(from)).length;
  const throughIngress = exchange.atIngress.filter((line) => line.includes(from)).length;
  const marked = exchange.atBackend.filter((line) =>
    marks[dispatch][address.includes(":") ? 6 : 4].test(line),
  ).length;
  return [
    ...(seen === undefined ? [`${path}: no answer`] : []),
    ...(fromBackend === 0 ? [`${path}: no packet left ${backend} with the service's address`] : []),
    ...(throughIngress > 0
      ? [`${path}: ${throughIngress} packets of the answer passed ${ingress}`]
      : []),
    ...(marked === 0
      ? [`${path}: no SYN brought the service's address to ${backend} (${dispatch})`]
      : []),
  ];
}

export const dsrProof: Proof = {
  promise: "The backend's node answers clients itself (DSR)",
  proof:
    "a request from outside to a NodePort of each node, its only backend on the next, per family, with tcpdump on both: the answer leaves the backend's node with the service's address, none of it passes the ingress node, and the SYN carries IP option 0x9a (IPv6: a destination option)",
  fix: "the provider's network drops DSR's packets: ask for what docs/networking.md says that it must let pass, or set cilium.loadBalancer.fallback: snat",
  limitSeconds: 110,
  async prove(cluster) {
    const { dsrDispatch } = cluster.config.cilium.loadBalancer;
    const without = await whyNotDsr(cluster);
    if (without !== undefined) return without;
    const result = await exchanges(cluster);
    if ("none" in result) return notProved(result.none);
    const faults = result.all.flatMap((exchange) => dsrFaults(exchange, dsrDispatch));
    const count = (where: "atIngress" | "atBackend") =>
      result.all.flatMap((one) => one[where].filter((line) => line.includes(` ${one.service} > `)))
        .length;
    return expectNothing(
      faults,
      `${result.all.length} exchanges from ${result.client}: ${count("atBackend")} packets left the backends' nodes with the service's address, ${count("atIngress")} passed the ingress nodes; the option on every SYN`,
    );
  },
};
