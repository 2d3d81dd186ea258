import { describe } from "vitest";
import { refuses, takes } from "./refuses.ts";

const l2 = { "cilium.l2announcements": { enabled: true } };
const pools = (...list: object[]) => ({ "cilium.loadBalancerIPPools": list, ...l2 });
const block = (one: object, more: object = {}) => pools({ name: "a", blocks: [one], ...more });
const first = ["cilium.loadBalancerIPPools[0].blocks[0]"];
const peer = { name: "tor", peerASN: 64500, peerAddress: "10.10.0.1" };
const bgp = (more: object = {}) => ({
  "cilium.bgpControlPlane": { enabled: true, localASN: 64512, peers: [peer], ...more },
});
const ofPeer = (more: object) => bgp({ peers: [{ ...peer, ...more }] });
const at = (rest: string) => [`cilium.bgpControlPlane.${rest}`];

describe("pools of addresses", () => {
  refuses([
    {
      name: "a node's address",
      changes: block({ cidr: "10.10.0.8/29" }),
      at: [...first, ...first, ...first],
      says: "SSH too (cilium#44430)",
    },
    {
      name: "a node's IPv6 address",
      changes: block({ start: "fd00:10:10::13", stop: "fd00:10:10::1f" }),
      at: first,
      says: "the address of node-2",
    },
    {
      name: "the API server's address",
      changes: { ...block({ cidr: "10.10.0.192/27" }), "cluster.endpoint.host": "10.10.0.200" },
      at: first,
      says: "cluster.endpoint",
    },
    {
      name: "the VLAN's gateway",
      changes: block({ start: "10.10.0.1", stop: "10.10.0.3" }),
      at: first,
      says: "the VLAN's gateway",
    },
    {
      name: "the VLAN's broadcast address",
      changes: block({ cidr: "10.10.0.224/27" }),
      at: first,
      says: "10.10.0.255",
    },
    {
      name: "the VLAN's broadcast address at a range's end, whatever allowFirstLastIPs says",
      changes: block({ start: "10.10.0.240", stop: "10.10.0.255" }, { allowFirstLastIPs: false }),
      at: first,
      says: "10.10.0.255",
    },
    {
      name: "pods' addresses",
      changes: { ...block({ cidr: "10.244.7.0/24" }), ...bgp() },
      at: first,
      says: "network.podSubnets",
    },
    {
      name: "services' addresses",
      changes: { ...block({ cidr: "10.96.0.0/12" }), ...bgp() },
      at: first,
      says: "network.serviceSubnets",
    },
    {
      name: "addresses off the VLAN with L2 announcements alone",
      changes: block({ cidr: "198.51.100.0/28" }),
      at: first,
      says: "nobody asks for it by ARP",
    },
    {
      name: "a family that the cluster has not",
      changes: {
        ...block({ cidr: "fd00:99::/120" }),
        "network.vlan.subnets": ["10.10.0.0/24"],
        "network.vlan.gateways": [],
        "network.podSubnets": ["10.244.0.0/16"],
        "network.serviceSubnets": ["10.96.0.0/16"],
        ...Object.fromEntries(
          [0, 1, 2].map((i) => [`nodes.existing[${i}].addresses`, [`10.10.0.${11 + i}`]]),
        ),
      },
      at: first,
      says: "the cluster has no IPv6",
    },
    {
      name: "addresses that another pool has",
      changes: pools(
        { name: "a", blocks: [{ cidr: "10.10.0.192/27" }] },
        { name: "b", blocks: [{ start: "10.10.0.200" }] },
      ),
      at: ["cilium.loadBalancerIPPools[1].blocks[0]"],
      says: "shares addresses with cilium.loadBalancerIPPools[0].blocks[0]",
    },
    {
      name: "one name for two pools",
      changes: pools(
        { name: "a", blocks: [{ cidr: "10.10.0.192/28" }] },
        { name: "a", blocks: [{ cidr: "10.10.0.208/28" }] },
      ),
      at: ["cilium.loadBalancerIPPools[1].name"],
      says: "another pool has that name",
    },
    ...[
      {},
      { stop: "10.10.0.200" },
      { cidr: "10.10.0.192/27", start: "10.10.0.192" },
      { cidr: "10.10.0.192/27", stop: "10.10.0.200" },
      { start: "10.10.0.200", stop: "10.10.0.199" },
      { start: "10.10.0.200", stop: "fd00:10:10::200" },
    ].map((one) => ({
      name: `the block ${JSON.stringify(one)}`,
      changes: block(one),
      at: first,
      says: "give cidr, or start and stop",
    })),
    {
      name: "addresses that nobody announces",
      changes: {
        "cilium.loadBalancerIPPools": [{ name: "a", blocks: [{ cidr: "10.10.0.192/27" }] }],
      },
      says: "nobody announces",
    },
  ]);
  takes([
    { name: "a range of the VLAN", changes: block({ cidr: "10.10.0.192/27" }) },
    {
      name: "a range of IPv6",
      changes: block({ start: "fd00:10:10::100", stop: "fd00:10:10::1ff" }),
    },
    {
      name: "a CIDR that keeps its ends back",
      changes: block({ cidr: "10.10.0.224/27" }, { allowFirstLastIPs: false }),
    },
    {
      name: "addresses off the VLAN with BGP",
      changes: { ...block({ cidr: "198.51.100.0/28" }), ...bgp() },
    },
  ]);
});

describe("L2 announcements", () => {
  const path = "cilium.l2announcements";
  refuses([
    {
      name: "a lease that ends before it is renewed",
      changes: { [`${path}.leaseRenewDeadlineSeconds`]: 15 },
      says: "would end before it is renewed",
    },
    {
      name: "a pause as long as the deadline",
      changes: { [`${path}.leaseRetryPeriodSeconds`]: 5 },
      says: "the agent does not start",
    },
    {
      name: "policies while they are off",
      changes: { [`${path}.policies`]: [{ name: "a" }] },
      says: "nothing is announced",
    },
    {
      name: "one name for two policies",
      changes: { [path]: { enabled: true, policies: [{ name: "a" }, { name: "a" }] } },
      at: [`${path}.policies[1].name`],
      says: "another policy has that name",
    },
    {
      name: "a burst below the rate",
      changes: { "cilium.k8sClientRateLimit": { qps: 50, burst: 20 } },
      at: ["cilium.k8sClientRateLimit.burst"],
      says: "less than qps (50)",
    },
  ]);
  takes([{ name: "them", changes: l2 }]);
});

describe("BGP", () => {
  refuses([
    {
      name: "no AS number",
      changes: { "cilium.bgpControlPlane": { enabled: true, peers: [peer] } },
      at: at("localASN"),
      says: "the nodes' AS number",
    },
    {
      name: "nobody to talk to",
      changes: bgp({ peers: [] }),
      at: at("peers"),
      says: "name a router",
    },
    {
      name: "routers while it is off",
      changes: { "cilium.bgpControlPlane.peers": [peer] },
      says: "BGP is off while",
    },
    {
      name: "advertisements while it is off",
      changes: { "cilium.bgpControlPlane.advertisements": [{ advertisementType: "PodCIDR" }] },
      says: "BGP is off while",
    },
    {
      name: "one name for two routers",
      changes: bgp({ peers: [peer, { ...peer, peerAddress: "10.10.0.2" }] }),
      at: at("peers[1].name"),
      says: "another peer has that name",
    },
    {
      name: "a session between nodes",
      changes: ofPeer({ peerAddress: "10.10.0.12" }),
      at: at("peers[0].peerAddress"),
      says: "autoDirectNodeRoutes",
    },
    {
      name: "a router behind another, within one hop",
      changes: ofPeer({ peerAddress: "192.0.2.1" }),
      at: at("peers[0].ebgpMultihop"),
      says: "live for one hop",
    },
    {
      name: "several hops within one AS",
      changes: ofPeer({ peerASN: 64512, ebgpMultihop: 2 }),
      at: at("peers[0].ebgpMultihop"),
      says: "the nodes' own AS",
    },
    {
      name: "signs of life that are too rare",
      changes: ofPeer({ holdTimeSeconds: 9 }),
      at: at("peers[0].keepAliveTimeSeconds"),
      says: "the session would end",
    },
    {
      name: "services' labels for pods' subnets",
      changes: bgp({
        advertisements: [{ advertisementType: "PodCIDR", selector: { matchLabels: { a: "b" } } }],
      }),
      at: at("advertisements[0].selector"),
      says: "about nodes",
    },
  ]);
  takes([
    { name: "a router on the VLAN", changes: bgp() },
    {
      name: "a router further off",
      changes: ofPeer({ peerAddress: "192.0.2.1", ebgpMultihop: 3 }),
    },
    {
      name: "a router of one's own AS",
      changes: ofPeer({ peerASN: 64512, peerAddress: "192.0.2.1" }),
    },
  ]);
});
