import { describe } from "vitest";
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
  ]);
});

describe("the endpoint's address", () => {
  refuses([
    { name: "among pods", changes: { [host]: "10.244.9.9" }, says: "lies in network.podSubnets" },
    { name: "among services", changes: { [host]: "10.96.0.1" }, says: "network.serviceSubnets" },
    { name: "a worker's", changes: { [host]: "10.10.0.12" }, says: "node-1, a worker" },
    { name: "the gateway's", changes: { [host]: "10.10.0.1" }, says: "the VLAN's gateway" },
  ]);
  takes([
    { name: "the control plane's", changes: { [host]: "10.10.0.11" } },
    { name: "another one, of a load balancer", changes: { [host]: "192.0.2.10" } },
    { name: "a name", changes: { [host]: "api.example.no" } },
  ]);
});

function firstAddress() {
  return { "network.vlan.gateways": [], [v4]: "10.10.0.1" };
}
