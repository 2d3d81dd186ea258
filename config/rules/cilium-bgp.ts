import { contains } from "../cidr.ts";
import type { Problem } from "../problem.ts";
import { duplicates, type Rule } from "../rule.ts";

/** Sessions that can come up, and towards routers alone. */
export const bgpPeers: Rule = function* ({ cilium, network, nodes }) {
  const { enabled, localASN, peers, advertisements } = cilium.bgpControlPlane;
  const at = "cilium.bgpControlPlane";
  if (enabled && localASN === undefined) {
    yield {
      path: `${at}.localASN`,
      value: undefined,
      why: "needed with BGP",
      fix: "give the nodes' AS number",
    };
  }
  if (enabled && peers.length === 0) {
    yield {
      path: `${at}.peers`,
      value: [],
      why: "BGP is on, and no peer is given",
      fix: "name a router",
    };
  }
  for (const [key, list] of Object.entries({ peers, advertisements })) {
    if (enabled || list.length === 0) continue;
    yield {
      path: `${at}.${key}`,
      value: list.length,
      why: "BGP is off while bgpControlPlane.enabled is false",
      fix: "write enabled: true, or remove them",
    };
  }
  for (const { item, index } of duplicates(peers, ({ name }) => name)) {
    yield {
      path: `${at}.peers[${index}].name`,
      value: item.name,
      why: "another peer has that name",
      fix: "give it another name",
    };
  }
  for (const [i, peer] of peers.entries()) {
    const problem = (key: keyof typeof peer, why: string, fix: string): Problem => ({
      path: `${at}.peers[${i}].${key}`,
      value: peer[key],
      why,
      fix,
    });
    const node = nodes.find(({ addresses }) => addresses.includes(peer.peerAddress));
    const onLink = network.vlan.subnets.some((cidr) => contains(cidr, peer.peerAddress));
    const external = peer.peerASN !== localASN;
    if (node) {
      yield problem(
        "peerAddress",
        `the address of ${node.name}: nodes know each other's routes already (autoDirectNodeRoutes)`,
        "name a router",
      );
    } else if (!onLink && external && peer.ebgpMultihop === 1) {
      yield problem(
        "ebgpMultihop",
        `${peer.peerAddress} is not on the VLAN: packets of a session to another AS live for one hop`,
        "write the number of hops, or the address of a router on the VLAN",
      );
    }
    if (!external && peer.ebgpMultihop > 1) {
      yield problem("ebgpMultihop", "the router is of the nodes' own AS", "remove it");
    }
    if (peer.keepAliveTimeSeconds > peer.holdTimeSeconds) {
      yield problem(
        "keepAliveTimeSeconds",
        `longer than holdTimeSeconds (${peer.holdTimeSeconds}): the session would end between two keepalive messages`,
        "write a third of it",
      );
    }
  }
  for (const [i, one] of advertisements.entries()) {
    if (one.advertisementType === "Service" || !(one.addresses || one.selector)) continue;
    yield {
      path: `${at}.advertisements[${i}].${one.addresses ? "addresses" : "selector"}`,
      value: one.addresses ?? one.selector,
      why: "PodCIDR is about nodes, not services",
      fix: "remove it, or write advertisementType: Service",
    };
  }
};
