import { describe, expect, it } from "vitest";
import { hostKey } from "../host-key.ts";
import { node, problemsOf, stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

const role = (i: number) => `nodes.existing[${i}].role`;

describe("control planes", () => {
  refuses([
    {
      name: "none",
      changes: { [role(0)]: "worker" },
      at: ["nodes.existing"],
      says: "needs a control plane",
    },
    {
      name: "no nodes at all",
      changes: { "nodes.existing": [] },
      says: "needs a control plane",
    },
    {
      name: "two",
      changes: { [role(1)]: "control-plane" },
      at: ["nodes.existing"],
      says: "even number",
    },
    {
      name: "seven",
      changes: {
        "nodes.existing": Array.from({ length: 7 }, (_, i) => node(i, "control-plane")),
      },
      at: ["nodes.existing"],
      says: "1, 3 or 5",
    },
  ]);
  takes([
    { name: "three", changes: { [role(1)]: "control-plane", [role(2)]: "control-plane" } },
    {
      name: "five",
      changes: {
        "nodes.existing": Array.from({ length: 5 }, (_, i) => node(i, "control-plane")),
      },
    },
    { name: "one alone", changes: { "nodes.existing": [node(0, "control-plane")] } },
    {
      name: "one that is not the first node",
      changes: { [role(0)]: "worker", [role(2)]: "control-plane" },
    },
  ]);
});

describe("what two nodes share", () => {
  refuses([
    {
      name: "a name",
      changes: { "nodes.existing[2].name": "node-0" },
      says: "another node (10.10.0.11) has that name",
    },
    {
      name: "an IPv4 address",
      changes: { "nodes.existing[2].addresses[0]": "10.10.0.12" },
      says: "node-1 has that address",
    },
    {
      name: "an IPv6 address in another spelling",
      changes: { "nodes.existing[2].addresses[1]": "FD00:10:10:0:0::12" },
      says: "node-1 has that address",
    },
    {
      name: "a host key",
      changes: { "nodes.existing[1].ssh.hostKey": `${hostKey(0)} root@clone` },
      says: "node-0 has that host key",
    },
  ]);

  it("is reported for each node that shares it", () => {
    const same = hostKey(0);
    const changes = {
      "nodes.existing[1].ssh.hostKey": same,
      "nodes.existing[2].ssh.hostKey": same,
    };
    expect(problemsOf(stack(changes)).map(({ path }) => path)).toEqual(Object.keys(changes));
  });
});
