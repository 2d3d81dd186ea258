import { measured } from "../effect.ts";
import { neighbours } from "../neighbours.ts";
import { defineStep } from "../step.ts";

/** What a machine must show towards its neighbours: one L2 domain, round trip, path MTU in every family, clocks. */
export const gatePeers = defineStep({
  name: "gate-peers",
  resource: "claim",
  on: ({ nodes }) => nodes.length > 1,
  document({ gates, network, nodes }, node) {
    const peers = neighbours(nodes, node);
    return {
      vars: {
        INTERFACE: network.vlan.interface,
        GATEWAYS: network.vlan.gateways.join(" "),
        PEERS: peers.flatMap((peer) => peer.addresses.map((a) => `${peer.name}=${a}`)).join(" "),
        MTU: network.mtu,
        RTT_MILLISECONDS: gates.nodeRttMilliseconds,
        CLOCK_SKEW_SECONDS: gates.clockSkewSeconds,
      },
    };
  },
  effects: measured,
  directives: ({ gates, network }) => [
    {
      article: "002",
      says: "node-to-node latency below a millisecond",
      applied: `gate-peers: mean of ten ≤ ${gates.nodeRttMilliseconds} ms`,
      why: "Applied with room for a busy hypervisor; set it to 1 for the article's own claim.",
    },
    {
      article: "all",
      says: "autoDirectNodeRoutes: true, on one L2 network",
      applied: `gate-peers: every peer answers ARP or neighbour discovery on ${network.vlan.interface} itself, with a MAC address of its own`,
      why: "Applied: a router or a proxy between two nodes would drop packets to pods.",
    },
  ],
});
