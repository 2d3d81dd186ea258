import { describe, expect, it } from "vitest";
import { risksOf } from "../../../commands/impact/risks.ts";
import { renderStep, step } from "../../../plan/step.ts";
import { renderYaml } from "../../../plan/yaml.ts";

interface Cluster {
  /** Names, with what makes each another machine. */
  controlPlanes?: Record<string, string>;
  kubernetes?: string;
  cilium?: string;
}

function filesOf({
  controlPlanes = { a: "1" },
  kubernetes = "1.36.2",
  cilium = "1.20.2",
}: Cluster) {
  const files = new Map([
    ["cluster/cilium-release.yaml", renderYaml({ repository: "x", version: cilium })],
    ["nodes/w/node.yaml", renderYaml({ name: "w", role: "worker", reach: { hostKey: "w" } })],
  ]);
  for (const [name, identity] of Object.entries(controlPlanes)) {
    const facts = { name, role: "control-plane", reach: { hostKey: identity } };
    files.set(`nodes/${name}/node.yaml`, renderYaml(facts));
    const packages = step("packages", {
      PACKAGES: `containerd.io=2.1.0-1 kubeadm=${kubernetes}-1.1`,
    });
    files.set(`nodes/${name}/steps/09-packages.yaml`, renderStep(packages));
  }
  return files;
}

const three = { a: "1", b: "2", c: "3" };
const five = { ...three, d: "4", e: "5" };

const cases: [what: string, base: Cluster, head: Cluster, risks: RegExp[]][] = [
  ["nothing", {}, {}, []],
  ["one becomes three", {}, { controlPlanes: three }, []],
  ["three become five", { controlPlanes: three }, { controlPlanes: five }, []],
  [
    "one of three re-created",
    { controlPlanes: three },
    { controlPlanes: { ...three, b: "9" } },
    [],
  ],
  [
    "the only one re-created",
    {},
    { controlPlanes: { a: "9" } },
    [/^the preview and `up` refuse it: nodes: a: the only control plane .*keep a, add two others/],
  ],
  [
    "three become one: they leave one at a time, and no majority is lost",
    { controlPlanes: three },
    { controlPlanes: { a: "1" } },
    [/^3 control planes become 1: b, c leave .* one at a time, .*loss of none of them, .* was 1$/],
  ],
  [
    "five become three",
    { controlPlanes: five },
    { controlPlanes: three },
    [/^5 control planes become 3: d, e leave .*loss of 1 of them, where it was 2$/],
  ],
  [
    "two of five re-created at once",
    { controlPlanes: five },
    { controlPlanes: { ...five, d: "8", e: "9" } },
    [/refuse it: nodes: d, e: 2 of 5 control planes are re-created at once/],
  ],
  [
    "none of three stays",
    { controlPlanes: three },
    { controlPlanes: { a: "7" } },
    [/refuse it: nodes: a, b, c: every control plane/],
  ],
  [
    "one is removed and one is added: it joins before the other leaves",
    { controlPlanes: three },
    { controlPlanes: { a: "1", b: "2", d: "4" } },
    [],
  ],
  ["a patch", {}, { kubernetes: "1.36.4", cilium: "1.20.3" }, []],
  ["the next minor", {}, { kubernetes: "1.37.0" }, []],
  [
    "a minor skipped",
    {},
    { kubernetes: "1.38.0" },
    [/^Kubernetes skips a minor version, from 1\.36\.2 to 1\.38\.0/],
  ],
  ["Cilium's too", {}, { cilium: "1.22.0" }, [/^Cilium skips/]],
  [
    "back by a patch",
    {},
    { kubernetes: "1.36.1" },
    [/^Kubernetes is downgraded from 1\.36\.2 to 1\.36\.1/],
  ],
  ["back by a minor", {}, { cilium: "1.19.9" }, [/^Cilium is downgraded/]],
];

describe("risks that no diff shows", () => {
  it.each(cases)("%s", (_, base, head, expected) => {
    const risks = risksOf(filesOf(base), filesOf(head));
    expect(risks).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(risks[i]).toMatch(pattern);
  });
});
