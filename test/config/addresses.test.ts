import { describe } from "vitest";
import { hostKey } from "../host-key.ts";
import { refuses, takes } from "./refuses.ts";

const v4 = "nodes.existing[1].addresses[0]";
const v6 = "nodes.existing[1].addresses[1]";
const host = "cluster.endpoint.host";

describe("a node's address", () => {
  refuses([
    { name: "outside the VLAN", changes: { [v4]: "10.10.1.12" }, says: "not in network.vlan" },
    { name: "outside the IPv6 VLAN", changes: { [v6]: "fd00:10:11::12" }, says: "not in network" },
    { name: "the network's", changes: { [v4]: "10.10.0.0" }, says: "network or broadcast address" },
    { name: "the broadcast", changes: { [v4]: "10.10.0.255" }, says: "network or broadcast" },
    { name: "the subnet's anycast", changes: { [v6]: "fd00:10:10::" }, says: "network or broad" },
    { name: "the gateway's", changes: { [v4]: "10.10.0.1" }, says: "the VLAN's gateway" },
    {
      name: "the IPv6 gateway's in another spelling",
      changes: { [v6]: "fd00:10:10:0:0:0:0:1" },
      says: "the VLAN's gateway",
    },
  ]);
  takes([
    { name: "the first of the subnet without a gateway", changes: firstAddress() },
    { name: "IPv6's last address", changes: { [v6]: "fd00:10:10::ffff:ffff:ffff:ffff" } },
  ]);
});

describe("a gateway's address", () => {
  const path = "network.vlan.gateways[0]";
  refuses([
    { name: "outside the VLAN", changes: { [path]: "10.10.1.1" }, says: "not in network.vlan" },
    { name: "the network's", changes: { [path]: "10.10.0.0" }, says: "network or broadcast" },
    { name: "the broadcast", changes: { [path]: "10.10.0.255" }, says: "network or broadcast" },
  ]);
  takes([{ name: "IPv6's anycast", changes: { "network.vlan.gateways": ["fd00:10:10::"] } }]);
});

describe("the endpoint's address", () => {
  refuses([
    { name: "among pods", changes: { [host]: "10.244.9.9" }, says: "is in network.podSubnets" },
    { name: "among services", changes: { [host]: "10.96.0.1" }, says: "network.serviceSubnets" },
    { name: "a worker's", changes: { [host]: "10.10.0.12" }, says: "node-1, a worker" },
    { name: "the gateway's", changes: { [host]: "10.10.0.1" }, says: "the VLAN's gateway" },
    { name: "the network's", changes: { [host]: "10.10.0.0" }, says: "network or broadcast" },
    { name: "the broadcast", changes: { [host]: "10.10.0.255" }, says: "network or broadcast" },
    { name: "loopback", changes: { [host]: "127.0.0.1" }, says: "a loopback address" },
    { name: "IPv6's loopback", changes: { [host]: "::1" }, says: "a loopback address" },
    { name: "multicast", changes: { [host]: "224.0.0.1" }, says: "a multicast address" },
    { name: "IPv6's multicast", changes: { [host]: "ff02::1" }, says: "a multicast address" },
    { name: "nobody's", changes: { [host]: "0.0.0.0" }, says: "means this host" },
    { name: "everybody's", changes: { [host]: "255.255.255.255" }, says: "broadcast" },
  ]);
  takes([
    { name: "the control plane's", changes: { [host]: "10.10.0.11" } },
    { name: "another one, of a load balancer", changes: { [host]: "192.0.2.10" } },
    { name: "a name", changes: { [host]: "api.example.no" } },
  ]);
});

describe("the virtual address", () => {
  const at = "cluster.endpoint.virtualAddress.address";
  const pool = {
    "cilium.l2announcements.enabled": true,
    "cilium.loadBalancerIPPools": [{ name: "a", blocks: [{ cidr: "10.10.0.192/27" }] }],
  };
  refuses([
    { name: "outside the VLAN", changes: { [at]: "10.11.0.10" }, says: "not in network.vlan" },
    { name: "a node's", changes: { [at]: "10.10.0.12" }, says: "the address of node-1" },
    { name: "a control plane's", changes: { [at]: "10.10.0.11" }, says: "the address of node-0" },
    { name: "the router's", changes: { [at]: "10.10.0.1" }, says: "the VLAN's gateway" },
    { name: "the broadcast address", changes: { [at]: "10.10.0.255" }, says: "broadcast" },
    {
      name: "in a pool, behind a name",
      changes: { [at]: "10.10.0.200", "cluster.endpoint.host": "api.example.no", ...pool },
      says: "is in the pool a",
    },
    {
      name: "in a pool",
      changes: { [at]: "10.10.0.200", ...pool },
      at: ["cilium.loadBalancerIPPools[0].blocks[0]"],
      says: "the API server's address",
    },
    {
      name: "that another host is given instead of",
      changes: { [at]: "10.10.0.10", "cluster.endpoint.host": "10.10.0.11" },
      at: ["cluster.endpoint.host"],
      says: "people would not use the virtual address",
    },
  ]);
  takes([
    { name: "of the VLAN", changes: { [at]: "10.10.0.10" } },
    { name: "of IPv6", changes: { [at]: "fd00:10:10::10" } },
    { name: "with a name", changes: { [at]: "10.10.0.10", "cluster.endpoint.host": "api.no" } },
    { name: "as the host", changes: { [at]: "10.10.0.10", "cluster.endpoint.host": "10.10.0.10" } },
  ]);
});

describe("a host outside", () => {
  const bastion = (address: string) => ({
    "ssh.bastion": { host: address, hostKey: hostKey("bastion") },
  });
  const pool = {
    "cilium.l2announcements.enabled": true,
    "cilium.loadBalancerIPPools": [{ name: "a", blocks: [{ cidr: "10.10.0.192/27" }] }],
  };
  const peer = (peerAddress: string) => ({
    "cilium.bgpControlPlane": {
      enabled: true,
      localASN: 64512,
      peers: [{ name: "tor", peerASN: 64500, peerAddress, ebgpMultihop: 2 }],
    },
  });
  const among: [where: string, says: string, address: string, more?: object][] = [
    ["among pods", "is in network.podSubnets", "10.244.3.9"],
    ["among IPv6 pods", "is in network.podSubnets", "fd00:10:244::9"],
    ["among services", "is in network.serviceSubnets", "10.96.0.10"],
    ["in a pool", "is in the pool a", "10.10.0.200", pool],
  ];
  refuses(
    among.flatMap(([where, says, address, more]) => {
      const cases: Record<string, Record<string, unknown>> = {
        "nodes.existing[1].ssh.host": { "nodes.existing[1].ssh.host": address },
        "ssh.bastion.host": bastion(address),
        "cilium.bgpControlPlane.peers[0].peerAddress": peer(address),
        "tuning.ntpServers[0]": { "tuning.ntpServers": [address] },
        "verify.nixAddress": { "verify.nixAddress": address },
      };
      return Object.entries(cases).map(([path, changes]) => ({
        name: `${path} ${where}`,
        changes: { ...changes, ...more },
        at: [path],
        says,
      }));
    }),
  );
  takes([
    { name: "a node's own address", changes: { "nodes.existing[1].ssh.host": "10.10.0.12" } },
    {
      name: "any other",
      changes: { "nodes.existing[1].ssh.host": "192.0.2.1", ...bastion("192.0.2.2") },
    },
  ]);
});

function firstAddress() {
  return { "network.vlan.gateways": [], [v4]: "10.10.0.1" };
}
