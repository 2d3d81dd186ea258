import { expect, it } from "vitest";
import { resolveEffects } from "../../plan/effect.ts";
import { placeEffects } from "../../plan/effects.ts";

const fileEffects = (path: string, before?: string, after?: string) =>
  resolveEffects(placeEffects(path), before, after);

it.each([
  "cluster/other.yaml",
  "cluster/secret-a.yaml",
  "cluster/cilium/secret-a.yaml",
  "cluster/gateway-api/default/tcproute-a.yaml",
  "cluster/elsewhere/namespace-a.yaml",
  "nodes/a/other.yaml",
])("%s is a document without a label", (path) => {
  expect(() => fileEffects(path, "a: 1", "a: 2")).toThrow(`${path}: a document without a label`);
});

/** As it is added, as it changes, as it is removed. */
const objects: [path: string, added: string, changes: string, removed: string][] = [
  ["cluster/namespace-a.yaml", "live", "live", "live"],
  // In plans of earlier revisions.
  ["cluster/gateway-api/namespace-a.yaml", "live", "live", "live"],
  ["cluster/gateway-api/a/gateway-b.yaml", "live", "live", "recreate"],
  ["cluster/gateway-api/a/referencegrant-b.yaml", "live", "live", "live"],
  ["cluster/gateway-api/customresourcedefinition-a.b.yaml", "live", "live", "recreate"],
  ["cluster/cilium/a/ciliumnetworkpolicy-b.yaml", "live", "live", "recreate"],
  ["cluster/cilium/ciliuml2announcementpolicy-b.yaml", "live", "live", "recreate"],
  ["cluster/cilium/kube-system/daemonset-b.yaml", "live", "restart", "live"],
  ["cluster/cilium/kube-system/configmap-b.yaml", "live", "recreate", "live"],
];

it.each(objects)("%s: what becomes of the object", (path, ...labels) => {
  const found = [
    fileEffects(path, undefined, "a: 1"),
    fileEffects(path, "a: 1", "a: 2"),
    fileEffects(path, "a: 1", undefined),
  ];
  expect(found.map((effects) => effects.map(({ impact }) => impact))).toEqual(
    labels.map((label) => [label]),
  );
});

it.each([
  ["bpf:\n  natMax: 1\n", "bpf:\n  natMax: 2\n", "restart", /maps whose size changes/],
  ["hubble:\n  relay:\n    enabled: true\n", "hubble: {}\n", "live", /the agents stay/],
  ["hubble:\n  enabled: true\n", "hubble:\n  enabled: false\n", "restart", /agents and operator/],
])("Cilium's values %j to %j", (before, after, label, says) => {
  expect(fileEffects("cluster/cilium-values.yaml", before, after)).toEqual([
    { impact: label, says: expect.stringMatching(says) },
  ]);
});
