import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { ownerOfPort, ports, reservedPorts } from "../../config/ports.ts";
import { stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

const configOf = (changes: Record<string, unknown> = {}) => loadConfig(stack(changes), "test");

describe("ports of the nodes", () => {
  it("have one owner each and protocol", () => {
    const all = ports(configOf());
    const clashes = all.flatMap((one, i) =>
      all
        .slice(i + 1)
        .filter((other) => other.protocol === one.protocol)
        .filter((other) => one.first <= other.last && other.first <= one.last)
        .map((other) => [one.owner, other.owner]),
    );
    expect(clashes).toEqual([]);
  });

  it.each([
    [22, "sshd"],
    [2380, "etcd"],
    [6443, "the API server"],
    [7443, "the API server's balancer"],
    [10250, "the kubelet"],
    [31000, "NodePorts"],
    [80, undefined],
    // WireGuard's is UDP.
    [51871, undefined],
  ])("%i belongs to %s", (port, owner) => {
    expect(ownerOfPort(configOf(), port)).toBe(owner);
  });

  it("hold the port that a node is reached at", () => {
    const config = configOf({ "nodes.existing[1].ssh.port": 2222 });
    expect(ownerOfPort(config, 2222)).toBe("sshd");
  });
});

describe("reserved ports", () => {
  const rest = "9234,9878-9879,9890-9891,9962-9965,10248,10250,10257,10259,30000-32767,51871";

  it.each([
    [6443, `2379-2381,4240,4244,6443,7443,${rest}`],
    [443, `2379-2381,4240,4244,7443,${rest}`],
    [4241, `2379-2381,4240-4241,4244,7443,${rest}`],
  ])("with the API server at %i, as the kernel prints them", (port, expected) => {
    expect(reservedPorts(configOf({ "cluster.endpoint.port": port }))).toBe(expected);
  });
});

describe("a port belongs to one program", () => {
  const endpoint = "cluster.endpoint.port";
  const owners: [number, string][] = [
    [22, "sshd"],
    [2379, "etcd"],
    [4240, "health checks"],
    [7443, "balancer"],
    [10250, "the kubelet"],
    [31000, "NodePorts"],
  ];
  const ofNode = (number: number) => `nodes.existing[${number}].ssh.port`;
  const gateways = (...made: [namespace: string, name: string, port: number][]) => ({
    "gatewayApi.gateways": made.map(([namespace, name, port]) => ({
      ...{ namespace, name },
      listeners: [{ name: "http", port }],
    })),
  });
  const reserved = "net.ipv4.ip_local_reserved_ports";
  const keeps = (ports: string | number) => ({ "tuning.sysctl": { [reserved]: ports } });
  const all = reservedPorts(configOf());
  refuses([
    ...owners.map(([port, says]) => ({
      name: `the endpoint's ${port}`,
      changes: { [endpoint]: port },
      says,
    })),
    ...owners
      .slice(1)
      .map(([port, says]) => ({ name: `sshd's ${port}`, changes: { [ofNode(1)]: port }, says })),
    {
      name: "sshd's 6443 of a control plane",
      changes: { [ofNode(0)]: 6443 },
      says: "the API server",
    },
    {
      name: "a gateway's beside sshd's",
      changes: { "gatewayApi.gateway.port": 2222, [ofNode(1)]: 2222 },
      says: "sshd",
    },
    {
      name: "two gateways' on the hosts' network",
      changes: gateways(["a", "one", 8080], ["a", "two", 8080]),
      at: ["gatewayApi.gateways[1].listeners[0].port"],
      says: "a/one has that port",
    },
    {
      name: "two gateways' of one name in two namespaces",
      changes: gateways(["a", "one", 8080], ["b", "one", 8080]),
      at: ["gatewayApi.gateways[1].listeners[0].port"],
      says: "a/one has that port",
    },
    ...["1000", "30000-32767", all.replace("10250", "10251"), "none"].map((ports) => ({
      name: `kept free: ${ports}`,
      changes: keeps(ports),
      at: [`tuning.sysctl["${reserved}"]`],
      says: "leaves out",
    })),
  ]);
  takes([
    { name: "443 as the endpoint's", changes: { [endpoint]: 443 } },
    {
      name: "a router's port to sshd",
      changes: { [ofNode(1)]: 10250, "nodes.existing[1].ssh.host": "router.example.no" },
    },
    { name: "more than the cluster's kept free", changes: keeps(`${all},61000-61010`) },
    { name: "all of them in other ranges", changes: keeps("1024-65535") },
  ]);
});
