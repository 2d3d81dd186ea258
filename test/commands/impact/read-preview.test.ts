import { describe, expect, it } from "vitest";
import type { Change } from "../../../commands/impact/changes.ts";
import { compareStack } from "../../../commands/impact/compare.ts";
import { refusals } from "../../../commands/impact/policies.ts";
import { readPreview, surprises } from "../../../commands/impact/read-preview.ts";
import { effect } from "../../../plan/effect.ts";

const urn = (type: string, name: string) =>
  `urn:pulumi:dev::oslo-cluster::oslo-cluster:index:Cluster$${type}::${name}`;
const command = (name: string) => urn("oslo-cluster:index:Node$command:local:Command", name);
const route = (name: string) => urn("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", name);
const replaced = { diffReasons: ["triggers"], replaceReasons: ["triggers"] };

/** As `pulumi preview --json` prints it, values left in. */
const printed = JSON.stringify({
  config: {},
  steps: [
    { op: "same", urn: command("worker-1-swap") },
    {
      op: "update",
      urn: command("worker-1-kubelet"),
      newState: { inputs: { stdin: "canary" } },
      diffReasons: ["stdin"],
    },
    { op: "create-replacement", urn: command("worker-1-identity"), ...replaced },
    { op: "replace", urn: command("worker-1-identity"), ...replaced },
    { op: "delete-replaced", urn: command("worker-1-identity"), ...replaced },
    { op: "delete", urn: route("production/store-route") },
    { op: "delete", urn: urn("oslo-cluster:index:Node", "worker-1") },
    { op: "delete", urn: "urn:pulumi:dev::oslo-cluster::oslo-cluster:index:Cluster::oslo-dev" },
  ],
  changeSummary: { same: 1 },
});
const preview = readPreview(printed);

function change(what: string, impact: "live" | "recreate", machines: string[] = []): Change {
  return { what, machines, effects: [effect(impact, "says")], contents: [{ machines }] };
}
const storeRoute = "gateway-api/production/httproute-store-route.yaml";

it("names what the engine would do, and no values", () => {
  expect(preview.steps).toHaveLength(5);
  expect(preview.steps[0]).toEqual({
    operation: "update",
    name: "worker-1-kubelet",
    type: "Command",
    inputs: ["stdin"],
    replacedFor: [],
  });
  expect(JSON.stringify(preview)).not.toContain("canary");
});

it.each(["", "error: no stack", '{"config": {}}'])("no answer is no preview: %j", (text) => {
  expect(() => readPreview(text)).toThrow();
});

describe("what the engine would replace or delete", () => {
  const machines = ["worker-1", "worker", "worker-10"];

  it("is a risk where the plan calls it live, each once", () => {
    const changes = [change("kubelet: settings", "live", ["worker-1"]), change(storeRoute, "live")];
    expect(surprises(preview, changes, machines)).toEqual([
      expect.stringMatching(/replace worker-1-identity \(for triggers\)/),
      expect.stringMatching(/delete production\/store-route,/),
    ]);
  });

  it("is reported with the inputs that differ where the engine does not say which of them", () => {
    const step = { op: "replace", urn: command("worker-1-guest"), diffReasons: ["triggers"] };
    const [risk] = surprises(readPreview(JSON.stringify({ steps: [step] })), [], machines);
    expect(risk).toMatch(/replace worker-1-guest \(for triggers\)/);
  });

  it("is none where the plan says that the machine or the object is removed", () => {
    const changes = [change("node.yaml", "recreate", ["worker-1"]), change(storeRoute, "recreate")];
    expect(surprises(preview, changes, machines)).toEqual([]);
  });

  it.each([
    ["kubernetes:core/v1:Namespace", "production", "namespace-production.yaml"],
    [
      "kubernetes:cilium.io/v2:CiliumNetworkPolicy",
      "ciliumnetworkpolicy/production/default-deny",
      "cilium/production/ciliumnetworkpolicy-default-deny.yaml",
    ],
    [
      "kubernetes:cilium.io/v2:CiliumLoadBalancerIPPool",
      "ciliumloadbalancerippool/public",
      "cilium/ciliumloadbalancerippool-public.yaml",
    ],
    [
      "kubernetes:gateway.networking.k8s.io/v1:ReferenceGrant",
      "canary/httproutes-of-production",
      "gateway-api/canary/referencegrant-httproutes-of-production.yaml",
    ],
  ])("is none where the plan no longer holds a %s, whatever its label", (type, name, what) => {
    const deleted = readPreview(
      JSON.stringify({ steps: [{ op: "delete", urn: urn(type, name) }] }),
    );
    const gone = { ...change(what, "live"), contents: [{ machines: [], before: "spec: {}" }] };
    expect(surprises(deleted, [gone], machines)).toEqual([]);
    expect(surprises(deleted, [change(what, "live")], machines)).toHaveLength(1);
    expect(surprises(deleted, [{ ...gone, what: `other/${what}` }], machines)).toHaveLength(1);
  });

  it("is none of a command that only measures", () => {
    const steps = [{ op: "delete", urn: command("promises") }];
    expect(surprises(readPreview(JSON.stringify({ steps })), [], machines)).toEqual([]);
  });

  it("is one where another machine is removed, or another object", () => {
    const other = [
      change("node removed", "recreate", ["worker"]),
      change("gateway-api/x.yaml", "recreate"),
    ];
    expect(surprises(preview, other, machines)).toHaveLength(2);
  });
});

describe("what the policy pack refuses", () => {
  /** As `pulumi preview` prints it for people. */
  const output = `Policies:
    ❌ oslo-cluster@v0.1.0 (local: policy)
        - [mandatory] [severity: high]  residency  (kubernetes:helm.sh/v3:Release: cilium)
          Every address that a resource names is in the stack's cluster.allowedPlaces.
          helm.cilium.io is not in cluster.allowedPlaces
        - [mandatory] [severity: high]  residency  (command:remote:Command: cp-1-images)
          Every address that a resource names is in the stack's cluster.allowedPlaces.
          helm.cilium.io is not in cluster.allowedPlaces
        - [advisory]  other  (command:local:Command: worker-1-leave)
          Something.
          something
        - [mandatory]  host-key-pinned  (command:remote:Command: cp-1-claim)
          Every SSH connection pins the host key of its machine, and of the bastion.
          its connection has no hostKey: any machine may answer
`;
  const refused = refusals(output);

  it("is read from what the engine prints, advice left out", () => {
    expect(refused).toEqual([
      "residency: cilium and 1 more: helm.cilium.io is not in cluster.allowedPlaces",
      "host-key-pinned: cp-1-claim: its connection has no hostKey: any machine may answer",
    ]);
    expect(refusals("Policies:\n    ✅ oslo-cluster@v0.1.0 (local: policy)\n")).toEqual([]);
  });

  it("is a risk, of a new stack too", () => {
    const files = { files: new Map(), sections: {} };
    for (const base of ["absent", files] as const)
      expect(compareStack("articles", base, files, { steps: [], refused }).risks).toEqual(
        refused.map((what) => `the policy pack refuses ${what}`),
      );
  });
});
