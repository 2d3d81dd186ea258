import { contains, family, parseAddress } from "../../config/cidr.ts";
import { type AddressService, addressServices, type Pool, takes } from "../probe/addresses.ts";
import { fail, notEnabled, notProved, type Proof, pass, type Verdict, worst } from "../proof.ts";
import { selects } from "../selector.ts";

export const addressPoolsProof: Proof = {
  promise: "A service of type LoadBalancer gets its addresses from the stack's pools",
  proof:
    "a service of our own for each pool of cilium.loadBalancerIPPools, with the labels that the pool asks for: it is given an address of each family that the pool has, and from that pool",
  fix: "compare cilium.loadBalancerIPPools with `kubectl get ciliumloadbalancerippools` (conflicts and free addresses are in their status)",
  limitSeconds: 110,
  async prove(cluster) {
    const { loadBalancerIPPools: pools } = cluster.config.cilium;
    if (pools.length === 0) return notEnabled("cilium.loadBalancerIPPools is empty");
    const services = await addressServices(cluster);
    return worst(services.map((service) => verdictOf(service, pools)));
  },
};

function verdictOf(service: AddressService, pools: readonly Pool[]): Verdict {
  const { pool, labels, families, addresses, reason } = service;
  const { name } = pool;
  if (!takes(service)) return notProved(`${name}: takes no service of verify's namespace`);
  const missing = families.filter((one) => !addresses.some((address) => family(address) === one));
  if (missing.length > 0) {
    const which = missing.map((one) => `IPv${one}`).join(" and ");
    return fail(`${name}: no ${which} address for a service${reason ? `: ${reason}` : ""}`);
  }
  const givers = addresses.map((address) => ({
    address,
    giver: pools.find(({ blocks }) => blocks.some((block) => holds(block, address))),
  }));
  for (const { address, giver } of givers) {
    if (giver === undefined) return fail(`${name}: ${address} was given, and is in no pool`);
    if (!selects(giver.serviceSelector, labels)) {
      return fail(
        `${name}: ${address} was given, of ${giver.name}, which does not take the service`,
      );
    }
  }
  const other = givers.find(({ giver }) => giver !== pool);
  if (other) return notProved(`${name}: ${other.giver?.name} takes its services as well, and gave`);
  return pass(`${name}: ${addresses.join(", ")}`);
}

function holds({ cidr, start, stop = start }: Pool["blocks"][number], address: string): boolean {
  if (cidr !== undefined) return contains(cidr, address);
  const [first, value, last] = [start, address, stop].map(
    (one) => parseAddress(one ?? "")?.bigInt() ?? -1n,
  ) as [bigint, bigint, bigint];
  return family(start ?? "") === family(address) && first <= value && value <= last;
}
