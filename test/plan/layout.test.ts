import { describe, expect, it } from "vitest";
import { planFiles } from "../../plan/files.ts";
import { type Place, parsePath, pathOf } from "../../plan/layout.ts";
import { planOf, stackNames } from "../stacks.ts";

const places: Place[] = [
  { kind: "cluster", file: "cilium-values.yaml" },
  { kind: "object", group: "", object: "namespace", name: "a-b" },
  { kind: "object", group: "cilium", object: "daemonset", name: "c", namespace: "a-b" },
  { kind: "object", group: "gateway-api", object: "gateway", name: "b-c", namespace: "a" },
  // Named as files and folders of the plan are.
  { kind: "object", group: "cilium", object: "configmap", name: "probe", namespace: "probe" },
  { kind: "object", group: "", object: "namespace", name: "values" },
  { kind: "probe", node: "steps" },
  { kind: "facts", machine: "node", name: "guest" },
  { kind: "facts", machine: "hypervisor", name: "node" },
  { kind: "step", name: "files", number: 7, step: "gate-host" },
  { kind: "step", name: "a", number: 123, step: "kernel" },
  { kind: "file", name: "a", path: "/etc/steps/01-a.yaml" },
  { kind: "script", machine: "node", name: "a", file: "domain.xml" },
  { kind: "script", machine: "hypervisor", name: "a", file: "vlan.env" },
];

describe("the layout of a rendered plan", () => {
  it.each(places)("%j is read back from its path", (place) => {
    expect(parsePath(pathOf(place))).toEqual(place);
  });

  it("gives each place a path of its own", () => {
    expect(new Set(places.map(pathOf)).size).toBe(places.length);
  });

  it.each(stackNames)("every path of %s is written as it was read", (stack) => {
    const wrong = [...planFiles(planOf(stack)).keys()].filter((path) => {
      const place = parsePath(path);
      return place === undefined || pathOf(place) !== path;
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    "",
    "cluster",
    "cluster/other.yaml",
    "cluster/namespace-.yaml",
    "cluster/-a.yaml",
    "cluster//namespace-a.yaml",
    "cluster/elsewhere/namespace-a.yaml",
    "cluster/cilium/a/b/configmap-c.yaml",
    "cluster/probe/a/b.yaml",
    "nodes/a/other.yaml",
    "nodes/a/hypervisor.yaml",
    "nodes/a/steps/kernel.yaml",
    "nodes/a/steps/04-kernel.txt",
    "nodes//node.yaml",
    "node/a/node.yaml",
    "hypervisors/a/b/c",
  ])("%j is no place", (path) => {
    expect(parsePath(path)).toBeUndefined();
  });
});
