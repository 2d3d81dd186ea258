import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { hostKey } from "../host-key.ts";
import { node, problemsOf, stack } from "../stack.ts";

/** Control planes: machines that exist, and guests of a pool on these hypervisors in turn. */
function planes(existing: number, guests: number, hypervisors: number[]) {
  const all = [1, 2, 3];
  return stack({
    "network.vlan.id": 100,
    "nodes.existing": [
      ...Array.from({ length: existing }, (_, i) => node(i, "control-plane")),
      node(9, "worker"),
    ],
    "nodes.libvirt": {
      image: { sha512: "0a".repeat(64) },
      authorizedKeys: ["ssh-ed25519 AAAAoperator me@example.no"],
      hypervisors: all.map((number) => ({
        name: `hv-${number}`,
        ssh: { host: `192.0.2.${number}`, hostKey: hostKey(`hv${number}`) },
        uplink: "eno1",
      })),
      pools: [
        {
          ...{ name: "plane", role: "control-plane", count: guests },
          hypervisors: hypervisors.map((number) => `hv-${number}`),
          firstAddresses: ["10.10.0.51", "fd00:10:10::51"],
        },
      ],
    },
  });
}

const few: [what: string, existing: number, guests: number, hypervisors: number[], most: number][] =
  [
    ["three guests on three hypervisors", 0, 3, [1, 2, 3], 1],
    ["a machine and two guests on two hypervisors", 1, 2, [1, 2], 1],
    ["two machines and a guest", 2, 1, [1], 1],
    ["five guests on three hypervisors", 0, 5, [1, 2, 3], 2],
    ["three machines and two guests of one hypervisor", 3, 2, [1], 2],
  ];

describe("control planes on hypervisors", () => {
  it.each(few)("%s: a dead one leaves a majority", (_, existing, guests, hypervisors, most) => {
    const config = planes(existing, guests, hypervisors);
    expect(problemsOf(config)).toEqual([]);
    const { nodes, hypervisors: all } = plan(loadConfig(config, "test"));
    const members = nodes.filter(({ role }) => role === "control-plane");
    const lost = all.map(
      ({ name }) => members.filter(({ guest }) => guest?.hypervisor === name).length,
    );
    expect(Math.max(...lost)).toBe(most);
    for (const count of lost) expect(members.length - count).toBeGreaterThan(members.length / 2);
  });

  it.each<[string, number, number, number[], string]>([
    ["three guests of one", 0, 3, [1], "3 of 3 control planes are guests of hv-1"],
    ["two of three guests on one", 0, 3, [1, 2], "2 of 3 control planes are guests of hv-1"],
    ["a machine and two guests of one", 1, 2, [2], "2 of 3 control planes are guests of hv-2"],
    ["three of five guests on one", 0, 5, [1, 2], "3 of 5 control planes are guests of hv-1"],
    ["two machines and three guests of one", 2, 3, [3], "3 of 5 control planes are guests of hv-3"],
  ])("%s: refused, since etcd's majority ends with it", (_, existing, guests, hypervisors, why) => {
    const [problem, ...more] = problemsOf(planes(existing, guests, hypervisors));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({
      path: "nodes.libvirt.pools[0].name",
      why: `${why}: etcd's majority ends with it`,
      fix: expect.stringMatching(/^put at most [12] of them on one hypervisor$/),
    });
  });
});
