import { describe, expect, it } from "vitest";
import { stackPicture } from "../../commands/picture/stack.ts";
import type { Config } from "../../config/config.ts";
import { loadConfig } from "../../config/load.ts";
import { configOf, stackNames } from "../stacks.ts";
import { stackOf } from "../verify/simulated.ts";

interface Box {
  kind: string;
  x: number;
  y: number;
  width: number;
  height: number;
  tooltip: string;
}

function boxesOf(svg: string): Box[] {
  const pattern =
    /<g>(?:<title>(.*?)<\/title>)?<rect class="(\S+)" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g;
  return [...svg.matchAll(pattern)].map(([, tooltip = "", kind = "", ...numbers]) => {
    const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
    return { kind, x, y, width, height, tooltip };
  });
}

const stacks: [string, Config][] = [
  ...stackNames.map((name): [string, Config] => [name, configOf(name)]),
  ["a hundred nodes", loadConfig(stackOf(100), "test.yaml")],
];

describe.each(stacks)("the picture of %s", (_, config) => {
  const svg = stackPicture(config);
  const boxes = boxesOf(svg);

  it("names every node, pool, gateway, router and hypervisor", () => {
    const named = boxes.map(({ tooltip }) => tooltip).join("\n");
    for (const { name, addresses } of config.nodes)
      expect(named).toContain(`${name}, ${addresses[0]}`);
    const { loadBalancerIPPools: pools, bgpControlPlane: bgp } = config.cilium;
    for (const { name } of pools) expect(named).toContain(`pool ${name}`);
    for (const { name } of bgp.enabled ? bgp.peers : []) expect(named).toContain(`router ${name}`);
    for (const { guest } of config.nodes) expect(svg).toContain(guest?.hypervisor ?? "");
    expect(boxes.filter(({ kind }) => kind === "worker" || kind === "control-plane")).toHaveLength(
      config.nodes.length,
    );
  });

  it("has no box over another but in its group, and none outside", () => {
    const [, width = 0, height = 0] = (svg.match(/viewBox="0 0 (\d+) (\d+)"/) ?? []).map(Number);
    const solid = boxes.filter(({ kind }) => kind !== "group");
    for (const [i, a] of solid.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(0);
      expect(a.y).toBeGreaterThanOrEqual(40); // below the title
      expect(a.x + a.width).toBeLessThanOrEqual(width);
      expect(a.y + a.height).toBeLessThanOrEqual(height);
      for (const b of solid.slice(i + 1)) {
        const apart =
          a.x + a.width <= b.x ||
          b.x + b.width <= a.x ||
          a.y + a.height <= b.y ||
          b.y + b.height <= a.y;
        expect(apart, `${a.tooltip} and ${b.tooltip}`).toBe(true);
      }
    }
  });

  it("is dark where the reader's setting is, and has elements that are closed", () => {
    expect(svg).toContain("@media (prefers-color-scheme: dark)");
    for (const tag of ["g", "text", "title", "svg", "style"])
      expect(svg.split(`<${tag}`).length, tag).toBeGreaterThanOrEqual(
        svg.split(`</${tag}>`).length,
      );
    expect(svg.replaceAll(/<[^<>]+>/g, "")).not.toMatch(/[<>]/);
  });
});

it("text of a stack's file is text", () => {
  const articles = configOf("articles");
  const cluster = { ...articles.cluster, name: '<script>alert("&")</script>' };
  expect(stackPicture({ ...articles, cluster })).not.toContain("<script>");
});
