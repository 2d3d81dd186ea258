import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { stackChanges } from "../../../commands/impact/changes.ts";
import { surprises } from "../../../commands/impact/read-preview.ts";
import { labelOf } from "../../../commands/impact/report.ts";
import type { Impact } from "../../../config/field.ts";
import { worst } from "../../../plan/effect.ts";
import type { Registered } from "../../components/program.ts";
import { changed, filesOf, filesOfStack, sectionsOf } from "./changed.ts";
import { previewOf, registered } from "./engine-answers.ts";
import { changesOfFields } from "./field-changes.ts";

const folder = mkdtempSync(join(tmpdir(), "place-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bases = new Map<string, Registered[]>();

/** What the plan says of a changed field, and what an engine would do with the resources. */
async function both(path: string) {
  const change = changesOfFields[path];
  if (change === undefined) throw new Error(`no change of ${path}`);
  const before = changed(sectionsOf(change.stack), change.before ?? {});
  const after = changed(before, change.after);
  const file = join(folder, "Pulumi.test.yaml");
  const written = change.before === undefined;
  const base = (written && bases.get(change.stack)) || (await registered(before, file));
  if (written) bases.set(change.stack, base);
  const preview = previewOf(base, await registered(after, file));
  const baseFiles = written ? filesOfStack(change.stack) : filesOf(before);
  const headFiles = filesOf(after);
  const machines = [...baseFiles.keys()].flatMap(
    (name) => name.match(/^(?:nodes|hypervisors)\/([^/]+)\//)?.[1] ?? [],
  );
  return { ...stackChanges(baseFiles, headFiles), machines: [...new Set(machines)], preview };
}

/** For each label changes, with what the engine does, most of all: operations by resource. */
const cases: [label: Impact, field: string, does: RegExp, and: RegExp][] = [
  ["none", "gates.diskFreePercent", /^update cp-1-claim$/, /^update \S+-claim$/],
  [
    "live",
    "gatewayApi.routes[].backends[].weight",
    /^update production\/store-route$/,
    /^update production\/store-route$/,
  ],
  ["restart", "kubernetes.kubelet.maxPods", /^update cp-1-runtime$/, /^update \S+-runtime$/],
  [
    "restart",
    "cilium.loadBalancer.mode",
    /^update cilium$/,
    /^update (cilium|datapath-probe|ready)$/,
  ],
  [
    "drain",
    "nodes.libvirt.pools[].memoryMebibytes",
    /^update worker-2-domain$/,
    /^update \S+-(domain|preflight|claim)$/,
  ],
  [
    "recreate",
    "nodes.existing[].ssh.hostKey",
    /^replace worker-1-identity$/,
    /^(replace worker-1-identity|update (worker-1-\S+|cp-1-control-plane|datapath-probe))$/,
  ],
  [
    "recreate",
    "nodes.libvirt.pools[].generations",
    /^replace worker-2-guest$/,
    /^(replace worker-2-guest|update worker-2-\S+)$/,
  ],
  ["recreate", "nodes.existing", /^delete worker-2-leave$/, /^(delete worker-2-\S+|update \S+)$/],
  [
    "recreate",
    "gatewayApi.routes[].name",
    /^delete production\/store-route$/,
    /^(delete production\/store-route|create production\/other)$/,
  ],
  [
    "live",
    "cilium.loadBalancerIPPools[].allowFirstLastIPs",
    /^update ciliumloadbalancerippool\/routed$/,
    /^update ciliumloadbalancerippool\/routed$/,
  ],
  [
    "recreate",
    "cilium.loadBalancerIPPools",
    /^delete ciliumloadbalancerippool\/routed$/,
    /^delete ciliumloadbalancerippool\/routed$/,
  ],
  [
    "recreate",
    "cilium.bgpControlPlane.peers",
    /^delete ciliumbgppeerconfig\/core$/,
    /^(delete ciliumbgppeerconfig\/core|update ciliumbgpclusterconfig\/services)$/,
  ],
  [
    "recreate",
    "policies.defaultDeny",
    /^delete ciliumnetworkpolicy\/production\/default-deny$/,
    /^delete ciliumnetworkpolicy\/production\/default-deny$/,
  ],
  [
    "recreate",
    "policies.networkPolicies[].namespace",
    /^delete ciliumnetworkpolicy\/jobs\/silent$/,
    /^(delete ciliumnetworkpolicy\/jobs\/silent|create (other|ciliumnetworkpolicy\/other\/silent))$/,
  ],
  [
    "restart",
    "cilium.nodeLocalDns.image",
    /^update daemonset\/kube-system\/node-local-dns$/,
    /^update daemonset\/kube-system\/node-local-dns$/,
  ],
  ["none", "verify.afterUp", /^create promises$/, /^create promises$/],
  ["impossible", "network.podSubnets", /^update cp-1-control-plane$/, /^update \S+$/],
];

describe("what the plan says is what the resources do", () => {
  it.each(cases)("%s: %s", async (label, field, does, and) => {
    const { changes, machines, preview } = await both(field);
    expect(worst(changes.map(labelOf))).toBe(label);
    const operations = preview.steps.map(({ operation, name }) => `${operation} ${name}`);
    expect(operations).toContainEqual(expect.stringMatching(does));
    for (const operation of operations) expect(operation).toMatch(and);
    expect(surprises(preview, changes, machines)).toEqual([]);
    // Were they called live, each would be a risk.
    const destroys = operations.some((operation) => /^(replace|delete) /.test(operation));
    expect(surprises(preview, [], machines).length > 0).toBe(destroys);
    expect(destroys).toBe(label === "recreate");
  });

  it.each([
    ["restart", "cilium.nodeLocalDns.enabled", "delete daemonset/kube-system/node-local-dns"],
    [
      "live",
      "gatewayApi.routes[].rules[].backends[].namespace",
      "delete canary/httproutes-of-production",
    ],
    ["live", "gatewayApi.routes[].backends[].namespace", "delete other"],
  ])("%s: %s, with what is removed and is no loss", async (label, field, deletes) => {
    const { changes, machines, preview } = await both(field);
    expect(worst(changes.map(labelOf))).toBe(label);
    const operations = preview.steps.map(({ operation, name }) => `${operation} ${name}`);
    expect(operations).toContain(deletes);
    expect(surprises(preview, changes, machines)).toEqual([]);
    expect(surprises(preview, [], machines)).not.toEqual([]);
  });

  it("has a case for each label", () => {
    const covered = new Set(cases.map(([label]) => label));
    expect([...covered].sort()).toEqual([
      "drain",
      "impossible",
      "live",
      "none",
      "recreate",
      "restart",
    ]);
  });
});
