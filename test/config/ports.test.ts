import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { ownerOfPort, ports, reservedPorts } from "../../config/ports.ts";
import { stack } from "../stack.ts";

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
    [2380, `2379-2381,4240,4244,7443,${rest}`],
  ])("with the API server at %i, as the kernel prints them", (port, expected) => {
    expect(reservedPorts(configOf({ "cluster.endpoint.port": port }))).toBe(expected);
  });
});
