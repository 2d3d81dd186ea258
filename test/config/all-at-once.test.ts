import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../config/problem.ts";
import { node, problemsOf, stack } from "../stack.ts";

const paths = (changes: Record<string, unknown>) =>
  problemsOf(stack(changes)).map(({ path }) => path);

describe("every problem is reported at once", () => {
  it("of single fields", () => {
    const changes = {
      "cluster.name": "Oslo",
      "nodes.existing[0].role": "master",
      "network.mtu": 1000,
      "kubernetes.version": "1.36",
      typo: 1,
    };
    expect(paths(changes).sort()).toEqual(Object.keys(changes).sort());
  });

  it("across fields", () => {
    const changes = {
      "cluster.region": "SE-STO-1",
      "nodes.existing[1].name": "node-0",
      "nodes.existing[2].addresses[0]": "10.10.0.1",
      "network.podSubnets[0]": "10.96.0.0/16",
      "kubernetes.version": "1.37.0",
      "tuning.sysctl": { "net.ipv4.ip_forward": 0 },
      "cilium.l7Proxy": false,
      "cilium.values": { MTU: 9000 },
      "gatewayApi.routes[0].backends[0].weight": 1,
    };
    expect(paths(changes)).toEqual([
      "cluster.region",
      "nodes.existing[1].name",
      "nodes.existing[2].addresses[0]",
      "network.podSubnets[0]",
      "kubernetes.version",
      'tuning.sysctl["net.ipv4.ip_forward"]',
      "cilium.l7Proxy",
      "cilium.values.MTU",
      "gatewayApi.routes[0].backends",
    ]);
  });

  it.each([
    ["an unknown key", { "network.vlanId": 12 }],
    ["an optional field", { "network.mtu": 1000 }],
    ["a required field of a node", { "nodes.existing[1].ssh.hostKey": "later" }],
    ["a required field that is missing", { "nodes.existing[1].role": undefined }],
    ["a required section", { cluster: undefined }],
    ["a backend", { "gatewayApi.routes[0].backends[0].port": 0 }],
  ])("of both kinds, beside %s", (_, changes) => {
    const [field] = Object.keys(changes);
    expect(
      paths({ ...changes, "cilium.l7Proxy": false, "network.serviceSubnets[0]": "10.10.0.0/16" }),
    ).toEqual([field, "network.serviceSubnets[0]", "cilium.l7Proxy"]);
  });

  it("but for those that only follow from a wrong field", () => {
    expect(paths({ "network.vlan.subnets[0]": "10.10.0.1/24" })).toEqual([
      "network.vlan.subnets[0]",
    ]);
    expect(paths({ "nodes.existing[0].role": "master" })).toEqual(["nodes.existing[0].role"]);
    expect(paths({ "nodes.existing[0].name": "", "nodes.existing[1].name": "" })).toEqual([
      "nodes.existing[0].name",
      "nodes.existing[1].name",
    ]);
    const defaults = { "network.vlan.subnets": ["10.96.0.0/24", "fd00:10:10::/64"] };
    expect(paths({ ...defaults, "network.serviceSubnets": [] })).not.toContain(
      "network.serviceSubnets[0]",
    );
  });
});

it("the message counts and lists them, below the name of the file", () => {
  const load = () => loadConfig(stack({ "network.mtu": 1, "cluster.name": "A" }), "Pulumi.x.yaml");
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(
    /^Pulumi\.x\.yaml: 2 errors\n {2}cluster\.name: A: .+\n {2}network\.mtu: 1: /,
  );
});

it("a long value is cut", () => {
  const [problem] = problemsOf(stack({ "cluster.region": "x".repeat(500) }));
  const error = new ConfigError("x", problem ? [problem] : []);
  expect(error.message.length).toBeLessThan(250);
});

// Which are longer beside other work: the best of three.
it("100 nodes, right and wrong, take less than 2 seconds of CPU", { retry: 2 }, () => {
  const names = (index: number) => ({
    ...node(index, index === 0 ? "control-plane" : "worker"),
    addresses: [`10.10.0.${11 + index}`, `fd00:10:10::${11 + index}`],
  });
  const existing = Array.from({ length: 100 }, (_, index) => names(index));
  const copies = existing.map((entry) => ({ ...entry, name: "same" }));
  const start = process.cpuUsage();
  expect(problemsOf(stack({ "nodes.existing": existing }))).toEqual([]);
  expect(problemsOf(stack({ "nodes.existing": copies }))).toHaveLength(99);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1e6).toBeLessThan(2);
});
