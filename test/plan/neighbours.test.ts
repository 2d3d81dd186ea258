import { describe, expect, it } from "vitest";
import { neighbours } from "../../plan/neighbours.ts";

/** Numbers from a seed, so that a failure can be run again (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Nodes behind the ports of switches, and one port that loses packets in one direction. */
interface Placement {
  nodes: number[];
  /** Whether the port is on the way from one node to another, and filters there. */
  loses: (from: number, to: number) => boolean;
}

function placement(seed: number): Placement {
  const below = random(seed);
  const count = 2 + below(200);
  const switches = 2 + below(Math.min(count, 10));
  // At random, in turn as pools of guests are placed, or rack by rack.
  const orders = [
    () => below(switches),
    (node: number) => node % switches,
    (node: number) => Math.floor((node * switches) / count),
  ];
  const order = orders[below(orders.length)] ?? (() => 0);
  const switchOf = Array.from({ length: count }, (_, node) => order(node));
  // A port of one node, or a switch's port to the others: whatever is behind it, but not everybody.
  const one = below(count);
  const uplink = below(2) === 0;
  const behind = (node: number) =>
    uplink ? switchOf[node] === switchOf[one] && node !== (one + 1) % count : node === one;
  const outwards = below(2) === 0;
  return {
    nodes: Array.from({ length: count }, (_, i) => i),
    loses: (from, to) => behind(from) !== behind(to) && (outwards ? behind(from) : behind(to)),
  };
}

describe("neighbours", () => {
  it("find a single port that filters in 1,000 random placements", () => {
    const missed = Array.from({ length: 1000 }, (_, seed) => seed).filter((seed) => {
      const { nodes, loses } = placement(seed);
      return !nodes.some((from) => neighbours(nodes, from).some((to) => loses(from, to)));
    });
    expect(missed).toEqual([]);
  });

  it.each([2, 16, 17, 18, 64, 1000])("of %i nodes know each other, without doubles", (count) => {
    const nodes = Array.from({ length: count }, (_, i) => i);
    for (const node of nodes) {
      const others = neighbours(nodes, node);
      expect(new Set(others).size).toBe(count <= 16 ? count - 1 : 8);
      expect(others).not.toContain(node);
      for (const other of others) expect(neighbours(nodes, other)).toContain(node);
    }
  });

  it("of most nodes stay when one is added", () => {
    const nodes = Array.from({ length: 1000 }, (_, i) => i);
    const more = [...nodes, 1000];
    const changed = nodes.filter(
      (node) => String(neighbours(nodes, node)) !== String(neighbours(more, node)),
    );
    expect(changed.length).toBeLessThanOrEqual(16);
  });
});
