import { expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { plan } from "../../plan/plan.ts";
import { node, stack } from "../stack.ts";

// join.sh writes the secrets behind all documents of the resource, and the last one's step has them.
it.each([
  ["control-plane", "control-plane", "control-plane"],
  ["worker", "join", "kubeadm-join"],
] as const)("what a join of a %s needs reaches the step that joins", (role, resource, step) => {
  const existing = [0, 1, 2, 3].map((i) => node(i, i < 3 ? "control-plane" : "worker"));
  const { nodes } = plan(loadConfig(stack({ "nodes.existing": existing }), "test"));
  for (const one of nodes.filter((node) => node.role === role))
    expect(one.resources[resource]?.flat().at(-1)).toBe(step);
});
