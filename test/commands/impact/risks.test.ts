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

const cases: [what: string, base: Cluster, head: Cluster, risks: RegExp[]][] = [
  ["nothing", {}, {}, []],
  ["a control plane more", { controlPlanes: { a: "1", b: "2" } }, { controlPlanes: three }, []],
  [
    "one of three is removed",
    { controlPlanes: three },
    { controlPlanes: { a: "1", b: "2" } },
    [/2 control planes: an even number/],
  ],
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
    [/^the only control plane .*snapshot first$/],
  ],
  [
    "two of three go",
    { controlPlanes: three },
    { controlPlanes: { a: "1" } },
    [/^2 of 3 control planes .*\(b, c\)/, /quorum breaks: 1 of 3 members stay, 2 are needed/],
  ],
  [
    "two of five re-created: too many at once, and the quorum stays",
    { controlPlanes: { ...three, d: "4", e: "5" } },
    { controlPlanes: { ...three, d: "8", e: "9" } },
    [/^2 of 5 control planes/],
  ],
  [
    "one is removed and one is added",
    { controlPlanes: three },
    { controlPlanes: { a: "1", b: "2", d: "4" } },
    [/go \(c\) and come \(d\) in one change/],
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
