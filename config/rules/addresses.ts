import { contains, isReservedIn, whyNoHost } from "../cidr.ts";
import type { Problem } from "../problem.ts";
import type { Rule } from "../rule.ts";

/** Nodes are in the VLAN, on addresses that nothing else has. */
export const nodeAddresses: Rule = function* ({ network, nodes }) {
  const { subnets, gateways } = network.vlan;
  for (const node of nodes) {
    for (const [a, address] of node.addresses.entries()) {
      const problem = (why: string, fix: string): Problem => ({
        path: node.at.addresses(a),
        value: address,
        why,
        fix,
      });
      const subnet = subnets.find((candidate) => contains(candidate, address));
      if (subnet === undefined) {
        yield problem(
          `not in network.vlan.subnets (${subnets.join(", ")})`,
          "give its address on the VLAN",
        );
      } else if (isReservedIn(subnet, address)) {
        yield problem(`the network or broadcast address of ${subnet}`, "give a host's address");
      } else if (gateways.includes(address)) {
        yield problem("the VLAN's gateway", "give the node an address of its own");
      }
    }
  }
};

/** The VLAN's routers are in the VLAN, or naming them keeps nobody off their addresses. */
export const gatewayAddresses: Rule = function* ({ network }) {
  const { subnets, gateways } = network.vlan;
  for (const [i, gateway] of gateways.entries()) {
    const subnet = subnets.find((one) => contains(one, gateway));
    // IPv6's first address is that of any router (RFC 4291, subnet-router anycast).
    const reserved = subnet && !gateway.includes(":") && isReservedIn(subnet, gateway);
    if (subnet && !reserved) continue;
    yield {
      path: `network.vlan.gateways[${i}]`,
      value: gateway,
      why: subnet
        ? `the network or broadcast address of ${subnet}`
        : `not in network.vlan.subnets (${subnets.join(", ")})`,
      fix: "give the router's address on the VLAN, or remove it",
    };
  }
};

/** The API server's address is nobody else's. */
export const endpointAddress: Rule = function* ({ cluster, network, nodes }) {
  const { host, isAddress, virtualAddress } = cluster.endpoint;
  const ofRole = (role: string) =>
    nodes.find((node) => node.role === role && node.addresses.includes(host));
  if (!isAddress || host === virtualAddress?.address || ofRole("control-plane")) return;
  const ranges = (["podSubnets", "serviceSubnets"] as const).flatMap((key) =>
    network[key].filter((cidr) => contains(cidr, host)).map((cidr) => `network.${key} (${cidr})`),
  );
  const worker = ofRole("worker");
  const reserved = network.vlan.subnets.find((subnet) => isReservedIn(subnet, host));
  const nobodys = whyNoHost(host);
  const taken = [
    ...(nobodys ? [nobodys] : []),
    ...(reserved ? [`the network or broadcast address of ${reserved}`] : []),
    ...ranges.map((range) => `is in ${range}`),
    ...(worker ? [`the address of ${worker.name}, a worker`] : []),
    ...(network.vlan.gateways.includes(host) ? ["the VLAN's gateway"] : []),
  ];
  for (const why of taken) {
    yield {
      path: "cluster.endpoint.host",
      value: host,
      why,
      fix: "give the address of the control-plane node or of its load balancer",
    };
  }
};
