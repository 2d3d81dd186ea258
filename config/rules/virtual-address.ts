import { contains, isReservedIn } from "../cidr.ts";
import type { Rule } from "../rule.ts";
import { has, rangeOf } from "./ranges.ts";

/** The virtual address is one of the VLAN that nobody has, and the one that people use. */
export const virtualAddress: Rule = function* ({ cluster, cilium, network, nodes }) {
  const { host, isAddress, virtualAddress } = cluster.endpoint;
  if (virtualAddress === undefined) return;
  const { address } = virtualAddress;
  const { subnets, gateways } = network.vlan;
  const subnet = subnets.find((one) => contains(one, address));
  const node = nodes.find(({ addresses }) => addresses.includes(address));
  const pool = cilium.loadBalancerIPPools.find(({ blocks }) =>
    blocks.some((block) => {
      const range = rangeOf(block);
      return range !== undefined && has(range, address);
    }),
  );
  const taken = [
    ...(subnet ? [] : [`not in network.vlan.subnets (${subnets.join(", ")})`]),
    ...(subnet && isReservedIn(subnet, address)
      ? [`the network or broadcast address of ${subnet}`]
      : []),
    ...(gateways.includes(address) ? ["the VLAN's gateway"] : []),
    ...(node ? [`the address of ${node.name}`] : []),
    // Where it is the host as well, the pool's own rule says so.
    ...(pool && host !== address ? [`is in the pool ${pool.name}`] : []),
  ];
  for (const why of taken) {
    yield {
      path: "cluster.endpoint.virtualAddress.address",
      value: address,
      why,
      fix: "give an address of the VLAN that nobody has",
    };
  }
  if (isAddress && host !== address) {
    yield {
      path: "cluster.endpoint.host",
      value: host,
      why: `people would not use the virtual address (${address})`,
      fix: "remove it, or give a name that resolves to the virtual address; or remove virtualAddress",
    };
  }
};
